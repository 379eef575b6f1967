//! What another session does not find: whatever its verification depends on differs.

use std::fs;
use std::time::Duration;

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, one, rejects, rejects_token, run, user_id};

use crate::shared_cache::support::{CACHED, CONF, ELSEWHERE, NEW, Session, database, origin, set_providers, trusted};
use crate::support::jwks_url::entry;

fn present(token: &str) -> String {
    format!("select auth.jwt_session_init('{token}')")
}

#[test]
fn changed_providers_of_one_database_count_there_only() {
    let (provider, first) = trusted(&CACHED);
    let second = database(&CACHED, &[provider.entry("")], "");
    let token = provider.token("alice");
    assert_eq!(origin(&CACHED, &first, &token), NEW);
    let other = Provider::new("a");
    for (entries, message) in [
        ([other.entry("")], messages::INVALID_SIGNATURE),
        ([provider.entry(r#","audience":"x""#)], messages::OTHER_AUDIENCE),
        (
            [provider.entry(r#","algorithms":"RS256""#)],
            messages::ALGORITHM_MISMATCH,
        ),
        ([Provider::new("b").entry("")], messages::UNKNOWN_ISSUER),
    ] {
        set_providers(&CACHED, &second, &entries);
        let mut session = Session::new(&CACHED, &second);
        rejects_token(&mut session.client, &token, "28000", message);
        assert_eq!(origin(&CACHED, &first, &token), ELSEWHERE);
    }
    // Accepted by other rules, and with another user id.
    set_providers(&CACHED, &second, &[provider.entry(r#","user_id_claim":"iss""#)]);
    let mut session = Session::new(&CACHED, &second);
    assert_eq!(session.origin(&token), NEW);
    assert_eq!(user_id(&mut session.client).as_deref(), Some("a"));
    // The index of a provider is that of its list.
    set_providers(&CACHED, &second, &[Provider::new("b").entry(""), provider.entry("")]);
    let mut session = Session::new(&CACHED, &second);
    assert_eq!(session.origin(&token), NEW);
    let provider_number = "select provider from auth.status()";
    assert_eq!(one::<i32>(&mut session.client, provider_number), 2);
    let mut session = Session::new(&CACHED, &first);
    assert_eq!(session.origin(&token), ELSEWHERE);
    assert_eq!(one::<i32>(&mut session.client, provider_number), 1);
}

#[test]
fn ambiguous_token_is_rejected_although_it_was_verified_alone() {
    let (provider, first) = trusted(&CACHED);
    let token = provider.token("alice");
    assert_eq!(origin(&CACHED, &first, &token), NEW);
    let twice = database(&CACHED, &[provider.entry(""), provider.entry(r#","leeway":1"#)], "");
    let mut session = Session::new(&CACHED, &twice);
    rejects_token(&mut session.client, &token, "28000", messages::SEVERAL_PROVIDERS);
}

#[test]
fn tokens_of_another_encoding_are_verified_again() {
    let (provider, utf8) = trusted(&CACHED);
    let encoded = |encoding: &str| {
        let options = format!("encoding '{encoding}' template template0 locale 'C'");
        database(&CACHED, &[provider.entry("")], &options)
    };
    let (latin, ascii) = (encoded("LATIN1"), encoded("SQL_ASCII"));
    let token = provider.token_with(r#""sub":"alice","x":"\u00e9""#);
    let read = |database: &str, expected: &str| {
        let mut session = Session::new(&CACHED, database);
        assert_eq!(session.origin(&token), expected);
        let x = "select encode(convert_to(auth.session() ->> 'x', getdatabaseencoding()), 'hex')";
        one::<String>(&mut session.client, x)
    };
    for (database, expected) in [(&utf8, "c3a9"), (&latin, "e9")] {
        assert_eq!(read(database, NEW), expected);
    }
    assert_eq!(origin(&CACHED, &ascii, &token), NEW);
    assert_eq!(read(&utf8, ELSEWHERE), "c3a9");
    assert_eq!(origin(&CACHED, &ascii, &token), ELSEWHERE);
    // A conversion belongs to its database, which a user can replace there.
    assert_eq!(read(&latin, NEW), "e9");
    let plain = provider.token("alice");
    assert_eq!(origin(&CACHED, &latin, &plain), NEW);
    assert_eq!(origin(&CACHED, &latin, &plain), ELSEWHERE);
    // The encoding cannot represent it.
    let kanji = provider.token_with(r#""sub":"漢""#);
    assert_eq!(origin(&CACHED, &utf8, &kanji), NEW);
    let mut session = Session::new(&CACHED, &latin);
    rejects_token(&mut session.client, &kanji, "28000", messages::NOT_ENCODABLE);
}

#[test]
fn a_token_of_a_withdrawn_key_is_not_found() {
    let (old, new) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let file = CACHED.directory().join("withdrawn.json");
    let write = |set: &str| {
        let temporary = file.with_extension("new");
        fs::write(&temporary, set).unwrap();
        fs::rename(&temporary, &file).unwrap();
    };
    let both = format!(r#"{{"keys":[{},{}]}}"#, old.jwk(), new.jwk());
    write(&both);
    let entry = format!(r#"{{"issuer":"a","jwks_file":"{}"}}"#, file.display());
    let database = database(&CACHED, &[entry], "");
    let (removed, retained) = (old.token("alice"), new.token("bob"));
    for token in [&removed, &retained] {
        assert_eq!(origin(&CACHED, &database, token), NEW);
        assert_eq!(origin(&CACHED, &database, token), ELSEWHERE);
    }
    let mut open = Session::new(&CACHED, &database);
    assert_eq!(open.origin(&retained), ELSEWHERE);
    write(&new.key_set());
    // Open sessions inspect the file once a second.
    std::thread::sleep(Duration::from_millis(1_100));
    rejects(&mut open.client, &present(&removed), "28000", messages::NO_KEY_OF_TOKEN);
    let mut session = Session::new(&CACHED, &database);
    rejects_token(&mut session.client, &removed, "28000", messages::NO_KEY_OF_TOKEN);
    assert_eq!(session.origin(&retained), NEW);
    assert_eq!(origin(&CACHED, &database, &retained), ELSEWHERE);
    fs::remove_file(&file).unwrap();
    let mut session = Session::new(&CACHED, &database);
    rejects_token(&mut session.client, &retained, "55000", messages::KEYS_NOT_AVAILABLE);
    // The content counts, not the time: the tokens of the earlier content are found again.
    write(&both);
    for token in [&removed, &retained] {
        assert_eq!(origin(&CACHED, &database, token), ELSEWHERE);
    }
}

#[test]
fn a_token_of_a_rotated_key_is_not_found() {
    let (old, new) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let keys = KeyServer::start(Answer::Body(old.key_set()));
    let conf = format!("{CONF}\npg_session_jwt.providers = '[{}]'", entry("a", &keys.url()));
    let server = Server::start(&conf);
    let retired = old.token("alice");
    let mut open = Session::new(&server, "template1");
    assert_eq!(open.origin(&retired), NEW);
    assert_eq!(origin(&server, "template1", &retired), ELSEWHERE);
    keys.answer(Answer::Body(new.key_set()));
    let fresh = new.token("bob");
    // The session verifies it with a set that it has fetched for it, and other sessions find it under that set.
    assert_eq!(origin(&server, "template1", &fresh), NEW);
    assert_eq!(origin(&server, "template1", &fresh), ELSEWHERE);
    let mut session = Session::new(&server, "template1");
    rejects_token(&mut session.client, &retired, "28000", messages::NO_KEY_OF_TOKEN);
    rejects(
        &mut open.client,
        "select auth.user_id()",
        "28000",
        messages::NO_KEY_OF_TOKEN,
    );
    // A set that returns is the same again.
    keys.answer(Answer::Body(old.key_set()));
    run(
        &mut server.connect("template1", "postgres", ""),
        "select auth.refresh_providers()",
    );
    wait_until("the former set", || {
        one::<String>(&mut open.client, "select string_agg(kid, ' ') from auth.providers()") == "k1"
    });
    assert_eq!(origin(&server, "template1", &retired), ELSEWHERE);
}

#[test]
fn a_missing_set_of_another_provider_counts() {
    // While the other set is missing the token is not ambiguous.
    let (a, b) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let keys = KeyServer::start(Answer::Status(500));
    let database = database(&CACHED, &[a.entry(""), entry("a", &keys.url())], "");
    let token = a.token("alice");
    let mut session = Session::new(&CACHED, &database);
    assert_eq!(session.origin(&token), NEW);
    assert_eq!(origin(&CACHED, &database, &token), ELSEWHERE);
    keys.answer(Answer::Body(format!(r#"{{"keys":[{},{}]}}"#, a.jwk(), b.jwk())));
    run(&mut session.client, "select auth.refresh_providers()");
    wait_until("the set", || {
        one::<i64>(
            &mut session.client,
            "select count(*) from auth.providers() where usable",
        ) == 3
    });
    let mut other = Session::new(&CACHED, &database);
    rejects_token(&mut other.client, &token, "28000", messages::SEVERAL_PROVIDERS);
    rejects(
        &mut session.client,
        "select auth.user_id()",
        "28000",
        messages::SEVERAL_PROVIDERS,
    );
}

#[test]
fn a_role_is_checked_at_each_use() {
    let provider = Provider::new("a");
    let entry = provider.entry(r#","roles":"authenticated""#);
    let database = database(&CACHED, &[entry], "");
    let token = provider.token("alice");
    let mut session = Session::new(&CACHED, &database);
    run(&mut session.client, "set role authenticated");
    assert_eq!(session.origin(&token), NEW);
    for role in ["anonymous", "none"] {
        let mut session = Session::new(&CACHED, &database);
        run(&mut session.client, &format!("set role {role}"));
        rejects_token(&mut session.client, &token, "28000", messages::ROLE);
    }
    let mut session = Session::new(&CACHED, &database);
    run(&mut session.client, "set role authenticated");
    assert_eq!(session.origin(&token), ELSEWHERE);
    run(&mut session.client, "set role anonymous");
    rejects(&mut session.client, "select auth.user_id()", "28000", messages::ROLE);
}

/// attack: 31
#[test]
fn a_rejected_token_is_never_found() {
    let (provider, database) = trusted(&CACHED);
    let token = provider.token("alice");
    assert_eq!(origin(&CACHED, &database, &token), NEW);
    let signature = token.rfind('.').unwrap() + 1;
    let flipped = if &token[signature..=signature] == "A" { "B" } else { "A" };
    let forged = format!("{}{flipped}{}", &token[..signature], &token[signature + 1..]);
    for _ in 0..3 {
        let mut session = Session::new(&CACHED, &database);
        rejects_token(&mut session.client, &forged, "28000", messages::INVALID_SIGNATURE);
    }
    init(&mut Session::new(&CACHED, &database).client, &token);
}
