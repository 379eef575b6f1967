//! Many people at the same time on few connections, with clients that go away and server processes that are killed.
//!
//! REQUESTS sets the number of requests; `make test` sends 2,000.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::running::{Client, Gateway};
use crate::{SERVER, database, token};

const USERS: u64 = 20;
const CLIENTS: u64 = 16;

/// What is known of a row that a request was to insert.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Committed,
    RolledBack,
    Unknown,
}

/// A sequence of numbers that look random (Knuth's linear congruential generator, MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn user(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// attack: 84, 86
#[test]
fn many_requests_of_many_people() {
    let requests: u64 = std::env::var("REQUESTS").map_or(2_000, |text| text.parse().unwrap());
    let database = database();
    let gateway = Gateway::start(
        &SERVER,
        &database,
        &["--max-connections=4", "--max-response-bytes=200000"],
    );
    let tokens: Vec<String> = (0..USERS).map(|number| token(&user(number), 3600)).collect();
    let warm: Vec<Client<'_>> = tokens.iter().map(|token| gateway.with(token)).collect();
    for client in &warm {
        assert_eq!(client.rows("select count(*) from todos"), json!([["0"]]));
    }
    let memory = gateway.resident_kib();
    let (next, done) = (AtomicU64::new(0), AtomicBool::new(false));

    let fates = std::thread::scope(|scope| {
        scope.spawn(|| kill_now_and_then(&database, &done));
        let workers: Vec<_> = (0..CLIENTS)
            .map(|worker| {
                let (gateway, tokens, next) = (&gateway, &tokens, &next);
                scope.spawn(move || {
                    let mut dice = Dice(worker + 1);
                    let clients: Vec<Client<'_>> = tokens.iter().map(|token| gateway.with(token)).collect();
                    let mut fates = BTreeMap::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= requests {
                            return fates;
                        }
                        let who = dice.below(USERS);
                        let client = &clients[usize::try_from(who).unwrap()];
                        let marker = format!("{number}");
                        if let Some(fate) = request(
                            gateway,
                            client,
                            &tokens[usize::try_from(who).unwrap()],
                            who,
                            &marker,
                            &mut dice,
                        ) {
                            fates.insert((who, marker), fate);
                        }
                    }
                })
            })
            .collect();
        let fates: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        done.store(true, Ordering::Relaxed);
        fates
    });

    let mut admin = SERVER.connect(&database, "postgres", "");
    let mut stored: BTreeMap<(String, String), u64> = BTreeMap::new();
    for row in admin.query("select user_id, task from todos", &[]).unwrap() {
        *stored.entry((row.get(0), row.get(1))).or_default() += 1;
    }
    let (mut committed, mut unknown) = (0, 0);
    for ((who, marker), fate) in fates.into_iter().flat_map(|fates| fates.unwrap()) {
        let count = stored.remove(&(user(who), marker.clone())).unwrap_or(0);
        let possible = match fate {
            Fate::Committed => count == 1,
            Fate::RolledBack => count == 0,
            Fate::Unknown => count <= 1,
        };
        assert!(possible, "{marker}: {fate:?}, stored {count} times");
        committed += u64::from(fate == Fate::Committed);
        unknown += u64::from(fate == Fate::Unknown);
    }
    assert_eq!(stored, BTreeMap::new(), "rows that no request inserted");
    let grown = gateway.resident_kib().saturating_sub(memory);
    println!(
        "{requests} requests: {committed} rows committed, {unknown} of unknown fate; memory {memory} + {grown} KiB"
    );
    assert!(grown < 64 * 1024, "memory grew by {grown} KiB");

    // The pool is whole: four requests run at the same time.
    std::thread::scope(|scope| {
        let sleepers: Vec<_> = warm
            .iter()
            .take(4)
            .map(|client| scope.spawn(|| client.query("select pg_sleep(0.3)", &[]).0))
            .collect();
        for sleeper in sleepers {
            assert_eq!(sleeper.join().unwrap(), 200);
        }
    });
}

/// One request of this person. The result is what is known of the row with this marker.
fn request(
    gateway: &Gateway,
    client: &Client<'_>,
    token: &str,
    who: u64,
    marker: &str,
    dice: &mut Dice,
) -> Option<Fate> {
    let insert = format!("insert into todos (task) values ('{marker}') returning user_id, auth.user_id()");
    let own = "select user_id, auth.user_id() from todos order by id desc limit 100";
    match dice.below(10) {
        0..3 => Some(fate(client.query(&insert, &[]), who)),
        3 => Some(fate(client.batch(&[own, &insert, own]), who)),
        4 => {
            let (status, body) = client.batch(&[&insert, "select 1/0"]);
            assert_ne!(status, 200, "{body}");
            Some(Fate::RolledBack)
        }
        5 => {
            abort(gateway, token, &insert, dice.below(3_000));
            Some(Fate::Unknown)
        }
        6 => {
            // Leftovers for the next person.
            client.batch(&[
                "set role anonymous",
                "set search_path = pg_temp",
                "create temporary table todos (user_id text)",
            ]);
            None
        }
        7 => {
            assert_ne!(client.query("select repeat('a', 1000000)", &[]).0, 200);
            None
        }
        _ => {
            let (status, body) = client.query(own, &[]);
            if status == 200 {
                only_own(&body, who);
            }
            None
        }
    }
}

/// What a response tells of an insert.
fn fate((status, body): (u16, Value), who: u64) -> Fate {
    match (status, body["code"].as_str(), body["detail"].as_str()) {
        (200, ..) => {
            let results = body["results"]
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![body.clone()]);
            results.iter().for_each(|result| only_own(result, who));
            Fate::Committed
        }
        // The gateway does not know it either.
        (400, Some("08006"), _) => Fate::Unknown,
        // The process was killed, perhaps after its COMMIT.
        (400, Some("57P01"), _) => Fate::Unknown,
        (503, ..) => Fate::RolledBack,
        _ => panic!("{status} {body}"),
    }
}

/// Every row is this person's, and so is the identity.
#[track_caller]
fn only_own(result: &Value, who: u64) {
    let own = json!([user(who), user(who)]);
    for row in result["rows"].as_array().unwrap() {
        assert_eq!(*row, own);
    }
}

/// Sends a request and goes away after so many microseconds.
fn abort(gateway: &Gateway, token: &str, sql: &str, after: u64) {
    let body = json!({"queries": [{"query": sql}, {"query": "select pg_sleep(0.002)"}]}).to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    let head = format!(
        "POST /sql HTTP/1.1\r\nHost: a\r\nNeon-Connection-String: postgres://authenticated@a\r\n\
         Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_micros(after));
}

fn kill_now_and_then(database: &str, done: &AtomicBool) {
    let mut admin = SERVER.connect(database, "postgres", "");
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity
                where usename = 'jwt_gateway' and datname = current_database() order by random() limit 1";
    while !done.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(200));
        admin.query(kill, &[]).unwrap();
    }
}
