//! Processes end or are killed while they verify tokens. No session ever has a wrong identity, and the cache works again.
//!
//! PG_SESSION_JWT_KILLS is the number of processes (20). After every second one PostgreSQL starts again, because it was
//! killed. The others end by themselves, and the shared memory remains.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::now;

use crate::shared_cache::support::{CONF, ELSEWHERE, NEW, database, origin};

/// More than fit into the cache, so that each of them is stored again and again.
const TOKENS: usize = 200;
const SESSIONS: usize = 3;

/// What one session has done.
#[derive(Default)]
struct Client {
    /// Its process; 0 while there is none.
    process: AtomicI32,
    accepted: AtomicU64,
}

impl Client {
    /// Presents all tokens in connection after connection, and checks the identity of each.
    fn work(&self, server: &Server, database: &str, tokens: &[(String, String)], ends: &AtomicBool) {
        while !ends.load(Relaxed) {
            // An error is the end of the connection; the answers before it count.
            let _ = self.present_all(server, database, tokens);
            self.process.store(0, Relaxed);
        }
    }

    fn present_all(&self, server: &Server, database: &str, tokens: &[(String, String)]) -> Result<(), postgres::Error> {
        let mut client = server.try_connect(database, "postgres", "")?;
        self.process
            .store(client.query_one("select pg_backend_pid()", &[])?.get(0), Relaxed);
        for (user, token) in tokens {
            client.batch_execute(&format!("select auth.jwt_session_init('{token}')"))?;
            let identity = client.query_one("select auth.user_id(), auth.jwt() ->> 'sub'", &[])?;
            assert_eq!(
                (identity.get::<_, &str>(0), identity.get::<_, &str>(1)),
                (&user[..], &user[..])
            );
            self.accepted.fetch_add(1, Relaxed);
        }
        Ok(())
    }
}

#[test]
fn killed_processes_leave_no_wrong_identity() {
    let kills = std::env::var("PG_SESSION_JWT_KILLS").map_or(20, |kills| kills.parse::<usize>().unwrap());
    let server = Server::start(&format!("{CONF}\npg_session_jwt.shared_cache = 100"));
    let provider = Provider::new("a");
    let database = database(&server, &[provider.entry("")], "");
    let (exp, filler) = (now() + 24 * 3600, "x".repeat(600));
    let tokens: Vec<(String, String)> = (0..TOKENS)
        .map(|number| {
            let user = format!("user{number}");
            let token = provider.token_with(&format!(r#""sub":"{user}","exp":{exp},"x":"{filler}""#));
            (user, token)
        })
        .collect();
    let (ends, clients) = (AtomicBool::new(false), [(); SESSIONS].map(|()| Client::default()));
    let mut ended = Vec::new();
    thread::scope(|scope| {
        for client in &clients {
            scope.spawn(|| client.work(&server, &database, &tokens, &ends));
        }
        for kill in 0..kills {
            let signal = if kill % 2 == 0 { libc::SIGKILL } else { libc::SIGTERM };
            let client = &clients[kill % SESSIONS];
            let before = client.accepted.load(Relaxed);
            // It has a process that is at work, at another moment each time.
            while client.accepted.load(Relaxed) == before || client.process.load(Relaxed) == 0 {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(u64::try_from(kill).unwrap() * 397 % 5_000));
            let process = client.process.swap(0, Relaxed);
            if process != 0 {
                testkit::crash::signal(process, signal);
                ended.push(process);
            }
        }
        ends.store(true, Relaxed);
    });
    let accepted: u64 = clients.iter().map(|client| client.accepted.load(Relaxed)).sum();
    let log = server.log();
    let found = log.lines().filter(|line| line.ends_with(ELSEWHERE)).count();
    println!("{kills} processes ended; {accepted} tokens accepted, {found} of them found");
    assert!(found > 0);
    server.accepts_after(&ended);
    let token = provider.token("last");
    assert_eq!(origin(&server, &database, &token), NEW);
    assert_eq!(origin(&server, &database, &token), ELSEWHERE);
}
