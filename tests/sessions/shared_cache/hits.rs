//! What another session finds.

use testkit::server::Server;
use testkit::session::{Proxy, claims, now, one, rows, run, user_id, ways_to_present};

use crate::shared_cache::support::{CACHED, CONF, ELSEWHERE, HERE, NEW, Session, database, origin, trusted};
use crate::support::parallel::{always_parallel, fill, in_workers, leader_takes_part};

#[test]
fn another_session_finds_the_token_with_the_same_identity() {
    let (provider, database) = trusted(&CACHED);
    let token = provider.token_with(r#""sub":"alice","role":"r","email":"e","o":{"id":"1"},"x":"é\u00e9""#);
    let mut first = Session::new(&CACHED, &database);
    assert_eq!(first.origin(&token), NEW);
    let mut second = Session::new(&CACHED, &database);
    assert_eq!(second.origin(&token), ELSEWHERE);
    assert_eq!(user_id(&mut second.client).as_deref(), Some("alice"));
    assert_eq!(claims(&mut second.client), claims(&mut first.client));
    let all = "select auth.role(), auth.email(), auth.organization(), auth.jwt(), s.mode, s.provider, s.issuer, s.kid
               from auth.status() s";
    assert_eq!(rows(&mut second.client, all), rows(&mut first.client, all));
    // The cache of the process stays in front.
    for session in [&mut first, &mut second] {
        assert_eq!(session.origin(&token), HERE);
    }
    // Another token of the same user is another one.
    assert_eq!(
        origin(&CACHED, &database, &provider.token_with(r#""sub":"alice","n":1"#)),
        NEW
    );
}

#[test]
fn every_way_to_present_a_token_finds_it() {
    let (provider, database) = trusted(&CACHED);
    let token = provider.token("alice");
    assert_eq!(origin(&CACHED, &database, &token), NEW);
    for sql in ways_to_present(&token) {
        let mut session = Session::new(&CACHED, &database);
        run(&mut session.client, &sql);
        assert_eq!(session.origins(), [ELSEWHERE], "{}", &sql[..30]);
    }
    let options = format!("-c pg_session_jwt.jwt={token}");
    let mut session = Session::with(&CACHED, &database, "postgres", &options);
    assert_eq!(user_id(&mut session.client).as_deref(), Some("alice"));
    assert_eq!(session.origins(), [ELSEWHERE]);
}

#[test]
fn databases_with_the_same_providers_share_their_tokens() {
    let (provider, first) = trusted(&CACHED);
    let second = database(&CACHED, &[provider.entry("")], "");
    let token = provider.token("alice");
    assert_eq!(origin(&CACHED, &first, &token), NEW);
    assert_eq!(origin(&CACHED, &second, &token), ELSEWHERE);
    // A superuser who sets the same providers for the session finds it, too.
    let set = format!("set pg_session_jwt.providers = '[{}]'", provider.entry(""));
    let mut session = Session::new(&CACHED, "postgres");
    run(&mut session.client, "create extension if not exists pg_session_jwt");
    run(&mut session.client, &set);
    assert_eq!(session.origin(&token), ELSEWHERE);
}

#[test]
fn an_identity_of_more_than_16_kib_is_not_shared() {
    let (provider, database) = trusted(&CACHED);
    let exp = now() + 60;
    // The identity has 82 bytes, the user id, the issuer, the key id and the claims.
    let rest = 82 + 1 + 1 + 2 + format!(r#"{{"iss":"a","sub":"u","exp":{exp},"x":""}}"#).len();
    for (bytes, expected) in [(16_384, ELSEWHERE), (16_385, NEW), (40_000, NEW)] {
        let filler = "x".repeat(bytes - rest);
        let token = provider.token_with(&format!(r#""sub":"u","exp":{exp},"x":"{filler}""#));
        assert_eq!(origin(&CACHED, &database, &token), NEW, "{bytes}");
        assert_eq!(origin(&CACHED, &database, &token), expected, "{bytes}");
    }
}

#[test]
fn a_parallel_worker_finds_the_token_of_its_leader() {
    let server = Server::start(&format!(
        "{CONF}\nmax_parallel_workers_per_gather = 2\nparallel_setup_cost = 0\nparallel_tuple_cost = 0\n\
         min_parallel_table_scan_size = 0"
    ));
    let (provider, database) = trusted(&server);
    let mut session = Session::new(&server, &database);
    fill(&mut session.client);
    run(&mut session.client, always_parallel());
    assert_eq!(session.origin(&provider.token("alice")), NEW);
    leader_takes_part(&mut session.client, false);
    let found = in_workers(&mut session.client, "auth.user_id()");
    assert_eq!(found, [[Some("alice".to_owned()), Some("t".to_owned())]]);
    let log = server.log();
    let count = |origin: &str| log.lines().filter(|line| line.ends_with(origin)).count();
    assert_eq!(count(NEW), 1);
    assert!(count(ELSEWHERE) >= 1);
}

#[test]
fn proxy_mode_shares_nothing() {
    let proxy = Proxy::new();
    let database = CACHED.database();
    let token = proxy.token_with_jti(1, r#""sub":"alice""#);
    for _ in 0..3 {
        let mut session = Session::with(&CACHED, &database, "postgres", &proxy.options());
        assert_eq!(session.origin(&token), NEW);
        assert_eq!(user_id(&mut session.client).as_deref(), Some("alice"));
    }
}

#[test]
fn an_examination_stores_nothing() {
    let (provider, database) = trusted(&CACHED);
    let token = provider.token("alice");
    let mut session = Session::new(&CACHED, &database);
    let accepted = format!("select bool_and(passed) from auth.verify('{token}') where passed is not null");
    assert!(one::<bool>(&mut session.client, &accepted));
    assert_eq!(origin(&CACHED, &database, &token), NEW);
}
