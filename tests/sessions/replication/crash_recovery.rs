//! The postmaster is killed under load, repeatedly: each time the cluster recovers completely.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use postgres::{Client, Config, Error, NoTls};
use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, now, one, rejects, rows, run, user_id};

use crate::support::extension_catalog::{assert_same_facts, facts};
use crate::support::jwks_url::entry;
use crate::support::key_fetcher::stored_urls;

const CRASHES: usize = 20;
const USERS: [&str; 3] = ["alice", "bob", "carol"];
const KEYS: &str = "select source, location, kid, kty, usable, reason from auth.providers() order by source";
const NOTES: &str = "select note from owned";
/// A note begins with the user who wrote it.
const UNDER_A_WRONG_USER: &str = "select count(*) from owned where user_id is distinct from split_part(note, '/', 1)";

/// State that the clients of a server share.
struct Load {
    port: u16,
    /// For each user, a token of each provider.
    tokens: Vec<(&'static str, String)>,
    stopped: AtomicBool,
    /// Writes that the server has confirmed.
    acknowledged: Mutex<Vec<String>>,
    /// Errors that are not the end of the connection.
    unexpected: Mutex<Vec<String>>,
}

impl Load {
    /// One client, which reconnects whenever the server has gone away.
    fn work(&self, number: usize) {
        let mut written = 0;
        while !self.stopped.load(SeqCst) {
            if let Err(error) = self.write_until_the_end(number, &mut written)
                && !is_the_end_of_a_server(&error)
            {
                self.unexpected.lock().unwrap().push(format!("{error:?}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn connect(&self, database: &str, user: &str) -> Result<Client, Error> {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).dbname(database).user(user);
        config.connect(NoTls)
    }

    fn write_until_the_end(&self, number: usize, written: &mut usize) -> Result<(), Error> {
        let mut client = self.connect("app", "app")?;
        client.batch_execute("set role authenticated")?;
        while !self.stopped.load(SeqCst) {
            *written += 1;
            let (user, token) = &self.tokens[(number + *written) % self.tokens.len()];
            let note = format!("{user}/{number}/{written}");
            let mut transaction = client.transaction()?;
            // Every other one for the session: the next identity replaces it.
            transaction.query(
                "select auth.jwt_session_init($1, $2)",
                &[token, &written.is_multiple_of(2)],
            )?;
            let owner = transaction.query_one("insert into owned (note) values ($1) returning user_id", &[&note])?;
            let foreign = transaction.query_one("select count(*) from owned where user_id <> $1", &[user])?;
            transaction.commit()?;
            assert_eq!((owner.get(0), foreign.get(0)), (*user, 0_i64));
            self.acknowledged.lock().unwrap().push(note);
        }
        Ok(())
    }

    /// Drops and creates the extension forever, in a separate database.
    fn create_and_drop(&self) {
        while !self.stopped.load(SeqCst) {
            let end = self.connect("remade", "postgres").and_then(|mut client| {
                while !self.stopped.load(SeqCst) {
                    client.batch_execute("drop extension if exists pg_session_jwt")?;
                    client.batch_execute("create extension pg_session_jwt")?;
                }
                Ok(())
            });
            if let Err(error) = end
                && !is_the_end_of_a_server(&error)
            {
                self.unexpected.lock().unwrap().push(format!("{error:?}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }
}

/// No answer, or class 57, with which PostgreSQL reports that it starts or stops.
fn is_the_end_of_a_server(error: &Error) -> bool {
    error.code().is_none_or(|code| code.code().starts_with("57"))
}

/// A database whose providers have their keys inline, in a file and at a URL, and a table for its users.
fn application(server: &Server, entries: &[String]) -> Client {
    let mut admin = server.connect("postgres", "postgres", "");
    let providers = format!("pg_session_jwt.providers = '[{}]'", entries.join(","));
    run(&mut admin, "create role app login in role authenticated");
    run(&mut admin, "create database remade");
    run(&mut admin, "create database app");
    run(&mut admin, &format!("alter database app set {providers}"));
    run(&mut admin, "select pg_reload_conf()");
    let mut client = server.connect("app", "postgres", "");
    run(
        &mut client,
        "create table owned (user_id text not null default (auth.user_id()), note text primary key);
         create index on owned (user_id);
         alter table owned enable row level security;
         create policy own_rows on owned to authenticated
             using ((select auth.user_id() = owned.user_id)) with check ((select auth.user_id()) = user_id);
         grant select, insert on owned to authenticated",
    );
    client
}

fn write_key_file(path: &Path, provider: &Provider) {
    fs::write(path, provider.key_set()).unwrap();
}

#[test]
fn crashes_under_load_preserve_keys_catalog_and_rows() {
    let [inline, file, url] = ["inline", "file", "url"].map(Provider::new);
    let answers = [Answer::Body(url.key_set()), Answer::Status(503), Answer::Silence];
    let keys = KeyServer::start(answers[0].clone());
    let mut server = Server::start("shared_preload_libraries = 'pg_session_jwt'");
    let key_file = server.directory().join("keys.json");
    write_key_file(&key_file, &file);
    let of_file = format!(r#"{{"issuer":"file","jwks_file":"{}"}}"#, key_file.display());
    let mut client = application(&server, &[inline.entry(""), of_file, entry("url", &keys.url())]);
    wait_until("the key set to be stored", || stored_urls(&server) == [keys.url()]);
    let (known_facts, known_keys) = (facts(&mut client), rows(&mut client, KEYS));
    assert_eq!(known_keys.len(), 3, "{known_keys:?}");

    let members = |user: &str| format!(r#""sub":"{user}","exp":{}"#, now() + 3600);
    let tokens = USERS
        .iter()
        .flat_map(|user| [&inline, &file, &url].map(|provider| (*user, provider.token_with(&members(user)))));
    let load = Load {
        port: server.port(),
        tokens: tokens.collect(),
        stopped: AtomicBool::new(false),
        acknowledged: Mutex::default(),
        unexpected: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for number in 0..4 {
            let load = &load;
            scope.spawn(move || load.work(number));
        }
        scope.spawn(|| load.create_and_drop());
        let _stop = StopAtEnd(&load.stopped);
        for crash in 0..CRASHES {
            // In two of three turns nothing can be fetched, and the keys are those stored before the crash. With
            // silence the worker is killed while it waits.
            keys.answer(answers[crash % 3].clone());
            let before = load.acknowledged();
            wait_until("the load", || load.acknowledged() >= before + 25);
            server.restart_after_kill();

            let acknowledged = load.acknowledged.lock().unwrap().clone();
            let mut client = server.connect("app", "postgres", "");
            assert_eq!(one::<i64>(&mut client, UNDER_A_WRONG_USER), 0);
            let notes: HashSet<String> = client.query(NOTES, &[]).unwrap().iter().map(|row| row.get(0)).collect();
            let lost: Vec<&String> = acknowledged.iter().filter(|note| !notes.contains(*note)).collect();
            assert_eq!(lost, Vec::<&String>::new(), "of {}", acknowledged.len());
            assert_eq!(stored_urls(&server), [keys.url()]);
            identities_work(&server, &[&inline, &file, &url]);
            assert_eq!(rows(&mut client, KEYS), known_keys);
            assert_same_facts("after a crash", &facts(&mut client), &known_facts);
        }
    });
    assert_eq!(load.unexpected.into_inner().unwrap(), Vec::<String>::new());
    let mut remade = server.connect("remade", "postgres", "");
    if facts(&mut remade).is_empty() {
        run(&mut remade, "create extension pg_session_jwt");
    }
    assert_same_facts("remade", &facts(&mut remade), &known_facts);
    for word in ["PANIC", "panicked", "terminated by signal"] {
        assert!(!server.log().contains(word), "{}", server.log());
    }
}

/// Asserts that tokens of each provider give identities for which policies filter, and that a forged token is rejected.
fn identities_work(server: &Server, providers: &[&Provider]) {
    let mut client = server.connect("app", "app", "");
    run(&mut client, "set role authenticated");
    for (provider, user) in providers.iter().zip(USERS) {
        init(&mut client, &provider.token(user));
        assert_eq!(user_id(&mut client).as_deref(), Some(user));
        let owners = "select string_agg(distinct user_id, ',') from owned";
        assert_eq!(one::<String>(&mut client, owners), user);
    }
    let foreign = format!(
        "select auth.jwt_session_init('{}')",
        Provider::new("url").token("alice")
    );
    rejects(&mut client, &foreign, "28000", messages::INVALID_SIGNATURE);
}

/// Stops the clients also when an assertion fails, because the scope waits for them.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
