//! Entries that discover, in each place where providers are set.

use testkit::key_server::Answer;
use testkit::loading::PRELOADED;
use testkit::messages;
use testkit::server::{SHARED, Server};
use testkit::session::{init, one, rejection, rows, run, user_id};

use crate::support::discovery::{Issuer, OPENID};
use crate::support::jwks_url::server_with;
use crate::support::key_fetcher::reload_after;

#[test]
fn a_stored_issuer_is_discovered_without_sessions() {
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'");
    let (database, issuer) = (server.database(), Issuer::start());
    let mut admin = server.connect("postgres", "postgres", "");
    let alter = format!(
        "alter database {database} set pg_session_jwt.providers = '[{}]'",
        issuer.entry("")
    );
    reload_after(&mut admin, &alter);
    issuer.server.wait_for_requests(2);
    let mut client = server.connect(&database, "postgres", "");
    init(&mut client, &issuer.provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(issuer.server.paths(), [OPENID, "/keys"]);
}

#[test]
fn a_session_waits_for_the_first_discovery() {
    let issuer = Issuer::start();
    let mut client = PRELOADED.connect(&PRELOADED.database(), "postgres", "");
    run(
        &mut client,
        &format!("set pg_session_jwt.providers = '[{}]'", issuer.entry("")),
    );
    init(&mut client, &issuer.provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// Before there are keys, the report has the first address of the document; its errors name each address.
#[test]
fn the_report_has_the_place_and_the_error_of_each_step() {
    let (nothing, without_keys) = (Issuer::at("/a"), Issuer::start());
    without_keys.server.answer(Answer::Paths(vec![(
        OPENID.to_owned(),
        Answer::Body(without_keys.document("")),
    )]));
    let server = server_with(&[nothing.entry(""), without_keys.entry("")], "");
    let mut client = server.connect("template1", "postgres", "");
    let first = nothing
        .server
        .url_at("127.0.0.1", "/a/.well-known/openid-configuration");
    let second = nothing
        .server
        .url_at("127.0.0.1", "/.well-known/oauth-authorization-server/a");
    let status = "server returned HTTP status 404";
    let of_document = format!("discovery document \"{first}\": {status}; \"{second}\": {status}");
    let of_keys = format!("key set \"{}\": {status}", without_keys.server.url());
    let query = "select source, location, reason, last_error from auth.providers()";
    let mut shown = rows(&mut client, query);
    while shown
        .iter()
        .any(|row| row[3].as_deref() == Some("it has not been fetched yet"))
    {
        shown = rows(&mut client, query);
    }
    let place = without_keys.server.url_at("127.0.0.1", OPENID);
    let row = |location: &str, error: &str| {
        ["discovery", location, "there are no keys", error].map(|text| Some(text.to_owned()))
    };
    assert_eq!(shown, [row(&first, &of_document), row(&place, &of_keys)]);
    let problems =
        "select string_agg(problem, '|' order by object) from auth.check() where finding = 'provider_without_keys'";
    let expected = [&of_document, &of_keys]
        .map(|error| format!("It has no usable key, so its tokens are rejected: {error}."))
        .join("|");
    assert_eq!(one::<String>(&mut client, problems), expected);
}

#[test]
fn a_server_without_worker_does_not_discover() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(&mut client, "load 'pg_session_jwt'");
    let issuer = Issuer::start();
    let rejected = rejection(
        &mut client,
        &format!("set pg_session_jwt.providers = '[{}]'", issuer.entry("")),
    );
    assert_eq!(rejected.sqlstate, "55000");
    assert_eq!(rejected.message, messages::DISCOVERY_NEEDS_PRELOAD);
    let detail = "Provider 1 has no keys in the setting or in a file.";
    assert_eq!(rejected.detail.as_deref(), Some(detail));
    assert_eq!(issuer.server.requests(), 0);
}
