//! Several databases, and more URLs than there are slots.

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, one, rows, run, user_id};

use crate::support::jwks_url::{conf, entry};
use crate::support::key_fetcher::{rejects_init, reload_after, stored_urls};

/// URLs that are fetched for one cluster.
const ROOM: usize = 64;

#[test]
fn databases_do_not_accept_each_others_tokens() {
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'");
    let issuers = ["a", "b"];
    let provided = issuers.map(|issuer| {
        let provider = Provider::new(issuer);
        let keys = KeyServer::start(Answer::Body(provider.key_set()));
        let database = server.database();
        let providers = format!("'[{}]'", entry(issuer, &keys.url()));
        let mut admin = server.connect("postgres", "postgres", "");
        run(
            &mut admin,
            &format!("alter database {database} set pg_session_jwt.providers = {providers}"),
        );
        (provider, keys, database)
    });
    for (mine, theirs) in [(0, 1), (1, 0)] {
        let (provider, _, database) = &provided[mine];
        let mut client = server.connect(database, "postgres", "");
        init(&mut client, &provider.token("alice"));
        let foreign = provided[theirs].0.token("mallory");
        rejects_init(&mut client, &foreign, "28000", messages::UNKNOWN_ISSUER);
        // Nor under the other's name.
        let forged = Provider::new(issuers[mine]).token("mallory");
        rejects_init(&mut client, &forged, "28000", messages::INVALID_SIGNATURE);
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
    // A database without providers has no rows.
    let mut client = server.connect(&server.database(), "postgres", "");
    rejects_init(&mut client, &provided[0].0.token("mallory"), "55000", messages::NO_KEY);
}

#[test]
fn the_url_of_two_databases_is_fetched_once() {
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'");
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let databases = [server.database(), server.database()];
    let mut admin = server.connect("postgres", "postgres", "");
    for database in &databases {
        let providers = format!("'[{}]'", entry("a", &keys.url()));
        reload_after(
            &mut admin,
            &format!("alter database {database} set pg_session_jwt.providers = {providers}"),
        );
    }
    for database in &databases {
        let mut client = server.connect(database, "postgres", "");
        init(&mut client, &provider.token("alice"));
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
    assert_eq!(keys.requests(), 1);
    assert_eq!(stored_urls(&server), [keys.url()]);
}

/// This many providers, each with a separate URL on the same server.
fn many(number: usize, keys: &KeyServer) -> (Vec<Provider>, Vec<String>) {
    let of = |place: usize| {
        let issuer = format!("issuer {place}");
        let provider = Provider::with_kid(&issuer, &format!("k{place}"));
        (provider, entry(&issuer, &format!("{}/{place}", keys.url())))
    };
    (0..number).map(of).unzip()
}

#[test]
fn urls_beyond_the_first_sixty_four_are_rejected() {
    let keys = KeyServer::start(Answer::Nothing);
    let (providers, entries) = many(100, &keys);
    // All of them have the same set of keys, with one key for each.
    let all: Vec<String> = providers.iter().map(Provider::jwk).collect();
    keys.answer(Answer::Body(format!(r#"{{"keys":[{}]}}"#, all.join(","))));
    let server = Server::start(&conf(&entries, ""));
    let database = server.database();
    let mut client = server.connect(&database, "postgres", "");
    let shown = "select count(*) filter (where usable) from auth.providers()";
    wait_until("the keys", || one::<i64>(&mut client, shown) == ROOM as i64 * 100);
    keys.wait_for_requests(ROOM);
    let rooms = rows(
        &mut client,
        "select usable, reason, last_error, min(provider), max(provider), count(distinct provider)
           from auth.providers() group by 1, 2, 3 order by 4",
    );
    let words = |row: &Vec<Option<String>>| row.iter().map(|it| it.clone().unwrap_or_default()).collect::<Vec<_>>();
    let expected = [
        ["t", "", "", "1", "64", "64"],
        [
            "f",
            "there are no keys",
            "no more than 64 URLs can be in use",
            "65",
            "100",
            "36",
        ],
    ];
    assert_eq!(rooms.iter().map(words).collect::<Vec<_>>(), expected);
    for (place, provider) in providers.iter().enumerate() {
        let token = provider.token("alice");
        if place < ROOM {
            init(&mut client, &token);
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{place}");
            run(&mut client, "reset pg_session_jwt.jwt");
        } else {
            rejects_init(&mut client, &token, "55000", messages::KEYS_NOT_AVAILABLE);
            assert_eq!(user_id(&mut client), None, "{place}");
        }
    }
    let left_out = format!("the key set of \"{}/64\" is not fetched: more than 64 URLs", keys.url());
    assert!(server.log().contains(&left_out));
    assert_eq!((keys.requests(), stored_urls(&server).len()), (ROOM, ROOM));
}

#[test]
fn slots_of_removed_urls_are_reused() {
    let (old, new) = (KeyServer::start(Answer::Nothing), KeyServer::start(Answer::Nothing));
    let ((_, old_entries), (providers, entries)) = (many(ROOM, &old), many(ROOM, &new));
    for keys in [&old, &new] {
        keys.answer(Answer::Body(providers[0].key_set()));
    }
    let server = Server::start(&conf(&old_entries, ""));
    old.wait_for_requests(ROOM);
    let mut admin = server.connect("postgres", "postgres", "");
    let list = entries.join(",");
    reload_after(
        &mut admin,
        &format!("alter system set pg_session_jwt.providers = '[{list}]'"),
    );
    new.wait_for_requests(ROOM);
}
