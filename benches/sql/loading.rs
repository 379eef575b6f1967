//! G: the cost of the library for a connection: load time, size and memory.

use std::fs;
use std::path::Path;
use std::process::Command;

use postgres::Client;
use testkit::issuer::{fresh, providers};
use testkit::server::{Server, pg_config};
use testkit::session::{init, one, run};

use crate::databases::{CONF, PROVIDER_MODE, SERVER, set_providers};
use crate::measure::{Plan, number, seconds, table};

struct Way<'a> {
    label: &'static str,
    server: &'a Server,
    database: &'a str,
    first: &'static str,
    against: usize,
}

pub fn measure(plan: &Plan) {
    let late = Server::start(CONF);
    let late_providers = late.database();
    set_providers(&late, &late_providers, &providers());
    time(plan, &late, &late_providers);
    size();
    memory(plan, &late, &late_providers);
}

fn time(plan: &Plan, late: &Server, late_providers: &str) {
    let way = |label, server, database, first, against| Way {
        label,
        server,
        database,
        first,
        against,
    };
    // New ones, alike but for the setting.
    let (claims_mode, provider_mode, late_claims) = (SERVER.database(), SERVER.database(), late.database());
    set_providers(&SERVER, &provider_mode, &providers());
    let (nothing, call) = ("select 1", "select auth.user_id()");
    let ways = [
        way("preloaded, claims mode: `select 1`", &SERVER, &claims_mode, nothing, 0),
        way("the same: `select auth.user_id()`", &SERVER, &claims_mode, call, 0),
        way(
            "preloaded, provider mode: `select 1`",
            &SERVER,
            &provider_mode,
            nothing,
            2,
        ),
        way("the same: `select auth.user_id()`", &SERVER, &provider_mode, call, 2),
        way("not preloaded, claims mode: `select 1`", late, &late_claims, nothing, 4),
        way("the same: `select auth.user_id()`", late, &late_claims, call, 4),
        way(
            "not preloaded, provider mode: `select 1`",
            late,
            late_providers,
            nothing,
            6,
        ),
        way("the same: `select auth.user_id()`", late, late_providers, call, 6),
    ];
    let heading = "G. Connecting, and the first statement";
    let times = plan.choose(10, 4);
    let measured = plan.rounds(heading, ways.len(), |index| {
        let Way {
            server,
            database,
            first,
            ..
        } = ways[index];
        let connect = || {
            let mut client = None;
            let took = seconds(|| {
                let opened = client.insert(server.connect(database, "postgres", ""));
                opened.simple_query(first).unwrap();
            });
            drop(client);
            took * 1e3
        };
        (0..times).map(|_| connect()).fold(f64::INFINITY, f64::min)
    });
    let row = |(index, way): (usize, &Way)| {
        vec![
            way.label.to_owned(),
            number(measured[index].min()),
            number(measured[index].median()),
            number(measured[index].ratio(&measured[way.against])),
        ]
    };
    let shown: Vec<_> = ways.iter().enumerate().map(row).collect();
    table(heading, &["", "ms, min", "ms, median", "ratio to `select 1`"], &shown);
}

fn size() {
    let library = pg_config("--pkglibdir").join("pg_session_jwt.so");
    let stripped = SERVER.directory().join("stripped.so");
    let done = Command::new("strip").arg("-o").args([&stripped, &library]).status();
    assert!(done.unwrap().success());
    let bytes = |path: &Path| number(fs::metadata(path).unwrap().len() as f64 / 1_048_576.0);
    let shown = [
        vec!["as built".to_owned(), bytes(&library)],
        vec!["stripped".to_owned(), bytes(&stripped)],
    ];
    table("G. The library", &["", "MiB"], &shown);
}

/// A backend's private memory in KiB (proc(5), status), without the shared buffers that it has read.
fn own_memory(client: &mut Client) -> f64 {
    let pid: i32 = one(client, "select pg_backend_pid()");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let anonymous = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    anonymous.trim().trim_end_matches(" kB").parse().unwrap()
}

fn memory(plan: &Plan, late: &Server, late_providers: &str) {
    let tokens = plan.choose(1_000_000, 10_000);
    plan.say(&format!("G. Memory: {tokens} tokens in each of two sessions"));
    let late = stages(late, late_providers, tokens);
    let preloaded = stages(&SERVER, &PROVIDER_MODE, tokens);
    let last = format!("after {tokens} tokens, all different");
    let labels = [
        "connected",
        "after the first `auth.user_id()`",
        "after the first token",
        "after 1000 tokens, all different",
        &last,
    ];
    let row = |(index, label): (usize, &&str)| {
        vec![
            (*label).to_owned(),
            format!("{:.0}", preloaded[index]),
            format!("{:.0}", late[index]),
        ]
    };
    let shown: Vec<_> = labels.iter().enumerate().map(row).collect();
    table(
        "G. Memory of a session's own, provider mode",
        &["", "KiB, preloaded", "KiB, not preloaded"],
        &shown,
    );
}

fn stages(server: &Server, database: &str, tokens: usize) -> Vec<f64> {
    let mut client = server.connect(database, "postgres", "");
    // What the statement that measures needs itself.
    own_memory(&mut client);
    let mut stages = vec![own_memory(&mut client)];
    run(&mut client, "select auth.user_id()");
    stages.push(own_memory(&mut client));
    init(&mut client, &fresh("EdDSA", 400));
    run(&mut client, "select auth.user_id(), auth.jwt()");
    stages.push(own_memory(&mut client));
    let batch = 1000;
    for taken in (batch..=tokens).step_by(batch) {
        for token in (0..batch).map(|_| fresh("EdDSA", 400)) {
            init(&mut client, &token);
        }
        run(&mut client, "select auth.user_id(), auth.jwt()");
        if taken == batch || taken == tokens {
            stages.push(own_memory(&mut client));
        }
    }
    stages
}
