//! Parallel workers have the identity of their leader, and return the same as a serial query.

use testkit::loading::ordinary_user;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::major;
use testkit::session::{Proxy, claims, init, one, rejection, rows, run, user_id};

use crate::support::parallel::{SERVER, agrees_with_the_leader, database, in_workers, leader_takes_part};

const RICH: &str = r#""sub":"6f4d2f0a-5b7e-4c8e-9d51-0123456789ab","o":{"id":"6f4d2f0a5b7e4c8e9d510123456789ab","x":1.10},
                      "role":"authenticated","email":"a@example.com","n":12345678901234567890123"#;

#[test]
fn every_function_returns_the_same_in_a_worker() {
    let mut proxy = Proxy::new();
    let database = database("");
    let mut client = proxy.session_on(&SERVER, &database);
    agrees_with_the_leader(&mut client);
    init(&mut client, &proxy.token(RICH));
    agrees_with_the_leader(&mut client);
    run(&mut client, "begin");
    run(
        &mut client,
        &format!("select auth.jwt_session_init('{}', true)", proxy.token_of("älice")),
    );
    agrees_with_the_leader(&mut client);
    run(
        &mut client,
        &format!(
            "savepoint s; set local pg_session_jwt.jwt = '{}'",
            proxy.token_of("bob")
        ),
    );
    agrees_with_the_leader(&mut client);
    run(&mut client, "rollback to s");
    agrees_with_the_leader(&mut client);
    run(&mut client, "create temp table t as select 1; reset pg_session_jwt.jwt");
    agrees_with_the_leader(&mut client);
    run(&mut client, "commit");
    agrees_with_the_leader(&mut client);
}

#[test]
fn a_worker_has_the_identity_of_the_startup_packet() {
    let mut proxy = Proxy::new();
    let database = database("");
    let token = proxy.token(RICH);
    let options = format!("{} -c pg_session_jwt.jwt={token}", proxy.options());
    // The first call happens in a worker, before the leader has read the token.
    let mut client = SERVER.connect(&database, "postgres", &options);
    leader_takes_part(&mut client, false);
    let user = "6f4d2f0a-5b7e-4c8e-9d51-0123456789ab".to_owned();
    assert_eq!(
        in_workers(&mut client, "auth.user_id()"),
        [[Some(user), Some("t".to_owned())]]
    );
    agrees_with_the_leader(&mut client);
}

/// attack: 80
#[test]
fn rows_of_others_are_hidden_in_workers() {
    let mut proxy = Proxy::new();
    let database = database("");
    let mut client = proxy.session_on(&SERVER, &database);
    for role in ["authenticated", "anonymous"] {
        run(&mut client, &format!("set role {role}"));
        let plan: String = rows(&mut client, "explain select count(*) from owned")
            .concat()
            .into_iter()
            .flatten()
            .collect();
        assert!(plan.contains("Workers Planned: 2"), "{plan}");
        for (user, expected) in [("alice", 2000), ("dave", 0), ("bob", 2000), ("carol", 2000)] {
            init(&mut client, &proxy.token_of(user));
            for takes_part in [true, false] {
                leader_takes_part(&mut client, takes_part);
                let seen = rows(&mut client, "select user_id, count(*) from owned group by 1");
                let mine = [[Some(user.to_owned()), Some(expected.to_string())]];
                assert_eq!(
                    seen,
                    mine.iter()
                        .take(if expected == 0 { 0 } else { 1 })
                        .cloned()
                        .collect::<Vec<_>>(),
                    "{role}"
                );
            }
        }
        run(&mut client, "reset pg_session_jwt.jwt");
        assert_eq!(one::<i64>(&mut client, "select count(*) from owned"), 0);
        run(&mut client, "reset role");
    }
}

#[test]
fn claims_are_the_same_in_workers() {
    let database = database("");
    let mut client = SERVER.connect(&database, "postgres", "");
    // The first call happens in a worker.
    leader_takes_part(&mut client, false);
    run(&mut client, r#"set request.jwt.claims = '{"sub":"alice"}'"#);
    let alice = [[Some("alice".to_owned()), Some("t".to_owned())]];
    assert_eq!(in_workers(&mut client, "auth.user_id()"), alice);
    let rich = format!("{{{RICH}}}").replace('\n', " ");
    for claims in [
        rich.as_str(),
        r#"{"sub":7}"#,
        "[1]",
        "7",
        "not JSON",
        r#"{"sub":"älice"}"#,
        "",
    ] {
        run(&mut client, &format!("set request.jwt.claims = '{claims}'"));
        agrees_with_the_leader(&mut client);
    }
    run(
        &mut client,
        r#"begin; set local role authenticated; set local request.jwt.claims = '{"sub":"bob"}'"#,
    );
    agrees_with_the_leader(&mut client);
    assert_eq!(one::<i64>(&mut client, "select count(*) from owned"), 2000);
    run(&mut client, "commit; set pg_session_jwt.claims_fallback = off");
    run(&mut client, r#"set request.jwt.claims = '{"sub":"alice"}'"#);
    agrees_with_the_leader(&mut client);
    assert_eq!(
        in_workers(&mut client, "auth.user_id()"),
        [[None, Some("t".to_owned())]]
    );
}

#[test]
fn a_worker_reads_the_encoding_of_its_database() {
    // Text is converted to the encoding of the database.
    let database = database("encoding 'LATIN1' template template0 locale 'C'");
    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&SERVER, &database);
    for payload in [r#""sub":"älice""#, r#""sub":"\u00e4lice\u00e5","email":"ä""#] {
        init(&mut client, &proxy.token(payload));
        agrees_with_the_leader(&mut client);
        assert_eq!(one::<i32>(&mut client, "select ascii(auth.user_id())"), 0xe4);
    }
    let options = format!("{} -c pg_session_jwt.jwt={}", proxy.options(), proxy.token_of("älice"));
    agrees_with_the_leader(&mut SERVER.connect(&database, "postgres", &options));
    let mut client = SERVER.connect(&database, "postgres", "");
    run(
        &mut client,
        "set request.jwt.claims = '{\"sub\":\"älice\",\"x\":\"\\u00e4\"}'",
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("älice"));
    agrees_with_the_leader(&mut client);
}

#[test]
fn query_in_a_single_worker_agrees_with_the_leader() {
    let mut proxy = Proxy::new();
    let database = database("");
    let mut client = proxy.session_on(&SERVER, &database);
    init(&mut client, &proxy.token(RICH));
    let serial = claims(&mut client);
    let leader = one::<i32>(&mut client, "select pg_backend_pid()");
    let setting = if major() < 16 {
        "force_parallel_mode"
    } else {
        "debug_parallel_query"
    };
    run(&mut client, &format!("set {setting} = on"));
    let row = rows(&mut client, &format!("select auth.session()::text, pid() <> {leader}")).remove(0);
    assert_eq!(row, [Some(serial), Some("t".to_owned())]);
    init(&mut client, &proxy.token_of("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    let status = "select mode || ' ' || user_id from auth.status()";
    assert_eq!(one::<String>(&mut client, status), "proxy bob");
    // A verification in a worker does not count as a presentation: the jti of the next token is still higher.
    init(&mut client, &proxy.token_of("carol"));
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
}

#[test]
fn a_provider_and_its_roles_are_the_same_in_workers() {
    let provider = Provider::new("https://issuer.example/");
    let database = database("");
    let user = ordinary_user(&SERVER, &database);
    let entry = provider.entry(r#","roles":["authenticated"]"#);
    let providers = format!("alter database {database} set pg_session_jwt.providers = '[{entry}]'");
    run(&mut SERVER.connect(&database, "postgres", ""), &providers);
    run(
        &mut SERVER.connect(&database, "postgres", ""),
        &format!("grant select on owned to {user}; alter table owned disable row level security"),
    );
    let mut client = SERVER.connect(&database, &user, "");
    agrees_with_the_leader(&mut client);
    run(&mut client, "set role authenticated");
    init(&mut client, &provider.token("alice"));
    agrees_with_the_leader(&mut client);
    run(&mut client, "reset role");
    let in_leader = rejection(&mut client, "select auth.user_id()");
    assert_eq!(in_leader.message, messages::ROLE);
    let in_worker = rejection(&mut client, "select auth.user_id() from owned");
    assert_eq!(in_worker, in_leader);
}
