//! The directory of stored key sets with other objects in it: no process blocks, and the administrator is informed.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use postgres::Client;
use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, one, rejects, run, user_id};

use crate::support::jwks_url::{entry, server_with};
use crate::support::key_fetcher::{process, process_after, rejects_init, stored};
use crate::support::pipe::{make_pipe, within_half_a_minute};

/// An object in place of a stored set, and the error that an administrator sees.
type Intruder = (fn(&Path), &'static str);

const INTRUDERS: [Intruder; 4] = [
    (make_pipe, "it is not a regular file"),
    (|path| fs::create_dir(path).unwrap(), "it is not a regular file"),
    (|path| symlink("/dev/zero", path).unwrap(), "it is not a regular file"),
    (
        |path| symlink(path, path).unwrap(),
        "Too many levels of symbolic links (os error 40)",
    ),
];

/// A server with one URL whose keys were fetched once, its provider, and the path of the stored set.
fn deployment() -> (Server, Provider, KeyServer, PathBuf) {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    let path = stored(&server).remove(0).0;
    (server, provider, keys, path)
}

fn remove(path: &Path) {
    if path.is_dir() {
        fs::remove_dir(path)
    } else {
        fs::remove_file(path)
    }
    .unwrap();
}

#[test]
fn irregular_file_does_not_block_a_session() {
    let (server, provider, _keys, path) = deployment();
    let good = path.with_extension("good");
    fs::rename(&path, &good).unwrap();
    for (put, told) in INTRUDERS {
        put(&path);
        let mut client = server.connect("template1", "postgres", "");
        run(&mut client, "set statement_timeout = '5s'");
        let token = provider.token("alice");
        let (mut client, shown) = within_half_a_minute(&path, move || {
            rejects_init(&mut client, &token, "55000", messages::KEYS_NOT_AVAILABLE);
            let shown = one::<String>(&mut client, "select last_error from auth.providers()");
            (client, shown)
        });
        assert_eq!(shown, format!("the stored key set cannot be used: {told}"));
        assert_eq!(user_id(&mut client), None);
        // Each session logs it once, however often tokens are presented.
        for _ in 0..3 {
            rejects_init(
                &mut client,
                &provider.token("alice"),
                "55000",
                messages::KEYS_NOT_AVAILABLE,
            );
        }
        remove(&path);
    }
    let log = server.log();
    for (told, sessions) in [
        ("it is not a regular file", 3),
        ("Too many levels of symbolic links", 1),
    ] {
        assert_eq!(
            log.matches(&format!("cannot be used: {told}")).count(),
            sessions,
            "{log}"
        );
    }
    fs::rename(&good, &path).unwrap();
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn irregular_file_does_not_block_the_worker() {
    let (mut server, provider, keys, path) = deployment();
    let unfinished = path.with_file_name("unfinished");
    let accepted = |mut client: Client, pipe: &Path, user: &str| {
        let (token, user) = (provider.token(user), user.to_owned());
        within_half_a_minute(pipe, move || {
            wait_until("the keys", || {
                client
                    .batch_execute(&format!("select auth.jwt_session_init('{token}')"))
                    .is_ok()
            });
            assert_eq!(user_id(&mut client), Some(user));
        });
    };
    for (put, _) in [INTRUDERS[0], INTRUDERS[2], INTRUDERS[3]] {
        for place in [&path, &unfinished] {
            server.restart_after(|_| {
                fs::remove_file(&path).unwrap();
                put(place);
            });
            accepted(server.connect("template1", "postgres", ""), place, "alice");
            assert_eq!(stored(&server), [(path.clone(), keys.url())]);
        }
    }
    // A file cannot replace a directory, which its creator must remove.
    server.restart_after(|_| {
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
    });
    let mut client = server.connect("template1", "postgres", "");
    rejects_init(
        &mut client,
        &provider.token("alice"),
        "55000",
        messages::KEYS_NOT_AVAILABLE,
    );
    let told = "select last_error from auth.providers()";
    wait_until("the fetch", || {
        one::<String>(&mut client, told) != "it has not been fetched yet"
    });
    let expected = "could not store it in the data directory: Is a directory (os error 21)";
    assert_eq!(one::<String>(&mut client, told), expected);
}

#[test]
fn altered_stored_set_is_replaced_by_the_fetched_one() {
    let (mut server, provider, keys, path) = deployment();
    let good = fs::read(&path).unwrap();
    // For example a backup of another day.
    let old = Provider::new("a");
    File::create(&path)
        .unwrap()
        .write_all(format!("{}\n{}", keys.url(), old.key_set()).as_bytes())
        .unwrap();
    let mut client = server.connect("template1", "postgres", "");
    let unknown = Provider::with_kid("a", "unknown").token("mallory");
    rejects_init(&mut client, &unknown, "28000", messages::NO_KEY_OF_TOKEN);
    assert_eq!(keys.requests(), 2);
    wait_until("the file", || fs::read(&path).unwrap() == good);
    rejects_init(&mut client, &old.token("mallory"), "28000", messages::INVALID_SIGNATURE);
    init(&mut client, &provider.token("alice"));
    drop((client, keys));
    server.restart();
    let mut client = server.connect("template1", "postgres", "");
    rejects_init(&mut client, &old.token("mallory"), "28000", messages::INVALID_SIGNATURE);
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// Writes a set as if an earlier worker had ended between storing the set and announcing it.
#[test]
fn restarted_worker_makes_sessions_read_the_stored_set() {
    let (server, provider, keys, path) = deployment();
    let mut living = server.connect("template1", "postgres", "");
    init(&mut living, &provider.token("alice"));
    let worker = process(&server);
    fs::write(&path, format!("{}\n{{\"keys\":[]}}", keys.url())).unwrap();
    drop(keys);
    assert_eq!(user_id(&mut living).as_deref(), Some("alice"));
    run(
        &mut server.connect("postgres", "postgres", ""),
        &format!("select pg_terminate_backend({worker}, 30000)"),
    );
    process_after(&server, worker);
    wait_until("the set to be read", || {
        living.batch_execute("select auth.user_id()").is_err()
    });
    rejects(
        &mut living,
        "select auth.user_id()",
        "55000",
        messages::KEYS_NOT_AVAILABLE,
    );
}

#[test]
fn pipe_as_ca_file_does_not_block_the_worker() {
    let provider = Provider::new("a");
    let directory = std::env::temp_dir().join(format!("pg_session_jwt-pipe-{}", std::process::id()));
    make_pipe(&directory);
    let ca_file = format!("pg_session_jwt.ca_file = '{}'", directory.display());
    let server = server_with(&[entry("a", "https://127.0.0.1:9/keys")], &ca_file);
    let mut client = server.connect("template1", "postgres", "");
    let told = "select last_error from auth.providers()";
    let shown = within_half_a_minute(&directory, move || {
        rejects_init(
            &mut client,
            &provider.token("alice"),
            "55000",
            messages::KEYS_NOT_AVAILABLE,
        );
        wait_until("the fetch", || {
            one::<String>(&mut client, told) != "it has not been fetched yet"
        });
        one::<String>(&mut client, told)
    });
    let expected = format!(
        "pg_session_jwt.ca_file \"{}\": it is not a regular file",
        directory.display()
    );
    fs::remove_file(&directory).unwrap();
    assert_eq!(shown, expected);
}
