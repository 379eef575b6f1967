//! Accepted tokens: of which provider, and where they were verified.

use testkit::provider::{Provider, database_on};
use testkit::server::Server;
use testkit::session::{Proxy, init, run, user_id, ways_to_present};

use super::support::{A, CONF, SERVER, Site, counted, verification_time};

#[test]
fn each_token_is_counted_by_its_provider_and_origin() {
    let site = Site::new();
    assert_eq!(site.counted(), [""; 0]);
    let [alice, bob, carol] = [site.a.token("alice"), site.a.token("bob"), site.b.token("carol")];
    let (mut first, mut second) = (site.session(), site.session());
    for token in [&alice, &bob, &alice, &carol, &bob, &alice] {
        init(&mut first, token);
    }
    for token in [&alice, &carol, &carol] {
        init(&mut second, token);
    }
    let expected = [
        "https://a.example/ accepted new 2",
        "https://a.example/ accepted repeated_elsewhere 1",
        "https://a.example/ accepted repeated_here 3",
        "https://b.example/ accepted new 1",
        "https://b.example/ accepted repeated_elsewhere 1",
        "https://b.example/ accepted repeated_here 1",
    ];
    assert_eq!(site.counted(), expected);
    // The end of a connection takes nothing away.
    drop((first, second));
    assert_eq!(site.counted(), expected);
}

#[test]
fn every_way_to_present_a_token_counts_it_once() {
    let site = Site::new();
    let token = site.a.token("alice");
    let mut client = site.session();
    for sql in ways_to_present(&token) {
        run(&mut client, &sql);
    }
    let expected = [
        "https://a.example/ accepted new 1",
        "https://a.example/ accepted repeated_here 3",
    ];
    assert_eq!(site.counted(), expected);
    // Uses of the identity, and the return to it, are no presentations.
    for sql in [
        "select auth.user_id() from generate_series(1, 100)",
        "begin; set local pg_session_jwt.jwt = ''; rollback",
        "reset pg_session_jwt.jwt",
        "discard all",
    ] {
        run(&mut client, sql);
        assert_eq!(site.counted(), expected, "{sql}");
    }
}

#[test]
fn a_token_of_the_startup_packet_counts_at_its_first_use() {
    let site = Site::new();
    let token = site.a.token("alice");
    let options = format!("-c pg_session_jwt.jwt={token}");
    let mut client = SERVER.connect(&site.database, "postgres", &options);
    assert_eq!(site.counted(), [""; 0]);
    for _ in 0..3 {
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        assert_eq!(site.counted(), ["https://a.example/ accepted new 1"]);
    }
    // Under other keys it is verified again.
    let entry = site.a.entry("");
    run(&mut client, &format!("set pg_session_jwt.providers = '[ {entry}]'"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(site.counted(), ["https://a.example/ accepted new 2"]);
}

#[test]
fn databases_are_counted_apart() {
    let site = Site::new();
    let other = database_on(&SERVER, &[site.a.entry(""), site.b.entry("")], "");
    let token = site.a.token("alice");
    init(&mut site.session(), &token);
    init(&mut SERVER.connect(&other, "postgres", ""), &token);
    assert_eq!(site.counted(), ["https://a.example/ accepted new 1"]);
    assert_eq!(
        counted(&SERVER, &other),
        ["https://a.example/ accepted repeated_elsewhere 1"]
    );
}

#[test]
fn tokens_without_a_configured_issuer_share_a_row() {
    let mut proxy = Proxy::new();
    let database = SERVER.database();
    let mut client = proxy.session_on(&SERVER, &database);
    for user in ["alice", "bob"] {
        init(&mut client, &proxy.token_of(user));
    }
    assert_eq!(counted(&SERVER, &database), ["- accepted new 2"]);
    assert!(verification_time(&SERVER, &database) > 0.0);
}

#[test]
fn providers_without_an_issuer_share_that_row() {
    let provider = Provider::new("anything");
    let entry = format!(r#"{{"audience":"api","jwks":{}}}"#, provider.key_set());
    let database = database_on(&SERVER, &[entry], "");
    let mut client = SERVER.connect(&database, "postgres", "");
    init(&mut client, &provider.token_with(r#""sub":"alice","aud":"api""#));
    assert_eq!(counted(&SERVER, &database), ["- accepted new 1"]);
}

#[test]
fn only_a_signature_check_takes_time() {
    let site = Site::new();
    let token = site.a.token("alice");
    let mut client = site.session();
    init(&mut client, &token);
    let after_new = verification_time(&SERVER, &site.database);
    assert!(after_new > 0.0);
    init(&mut client, &token);
    init(&mut site.session(), &token);
    assert_eq!(verification_time(&SERVER, &site.database), after_new);
    let forged = Provider::new(A).token("mallory");
    client
        .batch_execute(&format!("set pg_session_jwt.jwt = '{forged}'"))
        .unwrap_err();
    assert!(verification_time(&SERVER, &site.database) > after_new);
}

#[test]
fn an_examination_is_not_counted() {
    let site = Site::new();
    let mut client = site.session();
    for token in [site.a.token("alice"), "x".to_owned()] {
        run(&mut client, &format!("select auth.verify('{token}')"));
    }
    assert_eq!(site.counted(), [""; 0]);
    assert_eq!(verification_time(&SERVER, &site.database), 0.0);
}

#[test]
fn a_provider_of_the_server_is_counted_in_each_database() {
    let provider = Provider::new("of_server");
    let server = Server::start(&format!(
        "{CONF}\npg_session_jwt.providers = '[{}]'",
        provider.entry("")
    ));
    let databases = [server.database(), server.database()];
    for database in &databases {
        init(&mut server.connect(database, "postgres", ""), &provider.token(database));
        assert_eq!(counted(&server, database), ["of_server accepted new 1"]);
    }
}
