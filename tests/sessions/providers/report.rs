//! auth.providers(): the keys of each source.

use std::fs;

use postgres::Client;
use testkit::key_server::{Answer, KeyServer};
use testkit::loading::PRELOADED;
use testkit::messages;
use testkit::provider::{Provider, set_providers};
use testkit::server::SHARED;
use testkit::session::{Proxy, init, one, rejection, rows, run};
use testkit::signer::Signer;

use crate::support::jwks_url::entry;

const COLUMNS: &str = "provider, issuer, source, location, kid, kty, alg, usable, reason, last_error";

/// The rows, with null as "-".
fn shown(client: &mut Client, columns: &str) -> Vec<Vec<String>> {
    let all = rows(client, &format!("select {columns} from auth.providers()"));
    all.into_iter()
        .map(|row| row.into_iter().map(|it| it.unwrap_or("-".to_owned())).collect())
        .collect()
}

/// A session of the preloaded server with these providers.
fn session_with(entries: &[String]) -> Client {
    let mut client = PRELOADED.connect(&PRELOADED.database(), "postgres", "");
    set_in(&mut client, entries);
    client
}

fn set_in(client: &mut Client, entries: &[String]) {
    run(
        client,
        &format!("set pg_session_jwt.providers = '[{}]'", entries.join(",")),
    );
}

#[test]
fn each_source_is_shown_with_its_keys() {
    let (inline, file, url) = (Provider::new("inline"), Provider::new("file"), Provider::new("url"));
    let keys = KeyServer::start(Answer::Body(url.key_set()));
    let path = PRELOADED.directory().join("shown.json");
    fs::write(&path, file.key_set()).unwrap();
    let path = path.display().to_string();
    let mut client = session_with(&[
        inline.entry(r#","audience":"x""#),
        format!(r#"{{"issuer":"file","jwks_file":"{path}"}}"#),
        entry("url", &keys.url()),
        format!(r#"{{"audience":"y","jwks":{}}}"#, inline.key_set()),
    ]);
    let expected = [
        ["1", "inline", "jwks", "-", "k1", "OKP", "-", "t", "-", "-"],
        ["2", "file", "jwks_file", &path, "k1", "OKP", "-", "t", "-", "-"],
        ["3", "url", "jwks_url", &keys.url(), "k1", "OKP", "-", "t", "-", "-"],
        ["4", "-", "jwks", "-", "k1", "OKP", "-", "t", "-", "-"],
    ];
    assert_eq!(shown(&mut client, COLUMNS), expected);
    let now = "provider, fetched_at between now() - interval '1 minute' and now() + interval '1 second', \
               next_refresh > now() + interval '1 minute'";
    let expected = [["1", "-", "-"], ["2", "t", "-"], ["3", "t", "t"], ["4", "-", "-"]];
    assert_eq!(shown(&mut client, now), expected);
    // auth.status() names the right one of them.
    let status = "select provider from auth.status()";
    assert_eq!(one::<Option<i32>>(&mut client, status), None);
    init(&mut client, &url.token("alice"));
    assert_eq!(one::<i32>(&mut client, status), 3);
    init(&mut client, &file.token("alice"));
    assert_eq!(one::<i32>(&mut client, status), 2);
    init(&mut client, &inline.token_with(r#""sub":"alice","aud":"x""#));
    assert_eq!(one::<i32>(&mut client, status), 1);
    set_in(&mut client, &[entry("url", &keys.url()), inline.entry("")]);
    assert_eq!(one::<i32>(&mut client, status), 2);
}

#[test]
fn unusable_keys_are_shown_with_their_reasons() {
    let good = Signer::ed25519();
    let encryption = r#"{"kty":"RSA","use":"enc","alg":"RSA-OAEP","kid":"enc","n":"AQAB","e":"AQAB"}"#;
    let unknown = r#"{"kty":"EC","crv":"secp256k1","kid":"k256","x":"AA","y":"AA"}"#;
    let secret = Signer::hmac(32).jwk(r#""kid":"secret","alg":"HS256""#);
    let set = format!(
        r#"{{"keys":[{},{encryption},{unknown},{secret},7]}}"#,
        good.jwk(r#""kid":"sig","use":"sig","alg":"EdDSA""#)
    );
    let keys = KeyServer::start(Answer::Body(set));
    let mut client = session_with(&[entry("url", &keys.url())]);
    let columns = "provider, kid, kty, alg, usable, reason";
    let expected = [
        ["1", "sig", "OKP", "EdDSA", "t", "-"],
        ["1", "enc", "RSA", "RSA-OAEP", "f", "its \"use\" is not \"sig\""],
        ["1", "k256", "EC", "-", "f", "its \"crv\" is not supported"],
        [
            "1",
            "secret",
            "oct",
            "HS256",
            "f",
            "it is a symmetric key; anyone who can read it can sign",
        ],
        ["1", "-", "-", "-", "f", "it is not an object"],
    ];
    assert_eq!(shown(&mut client, columns), expected);
    assert_eq!(shown(&mut client, "distinct last_error"), [["-"]]);
}

#[test]
fn keys_that_the_algorithms_of_a_provider_exclude_are_not_usable() {
    let (ed, es, rs) = (Signer::ed25519(), Signer::p521(), Signer::rsa());
    let set = format!(
        r#"{{"keys":[{},{},{},{}]}}"#,
        ed.jwk(r#""kid":"ed""#),
        es.jwk(r#""kid":"es""#),
        rs.jwk(r#""kid":"rs""#),
        rs.jwk(r#""kid":"ps","alg":"PS256""#)
    );
    let entry = |issuer: &str, algorithms: &str| {
        format!(r#"{{"issuer":"{issuer}","audience":"api","jwks":{set},"algorithms":{algorithms}}}"#)
    };
    let mut client = session_with(&[entry("a", r#"["ES512","RS256"]"#), entry("b", r#""HS256""#)]);
    let excluded = "the provider's \"algorithms\" has none that the key is for";
    let expected = [
        ["1", "ed", "f", excluded],
        ["1", "es", "t", "-"],
        ["1", "rs", "t", "-"],
        ["1", "ps", "f", excluded],
        ["2", "ed", "f", excluded],
        ["2", "es", "f", excluded],
        ["2", "rs", "f", excluded],
        ["2", "ps", "f", excluded],
    ];
    assert_eq!(shown(&mut client, "provider, kid, usable, reason"), expected);
    // auth.check() agrees.
    let problem = "select problem from auth.check() where finding = 'provider_without_keys'";
    let expected = format!("It has no usable key, so its tokens are rejected: {excluded}.");
    assert_eq!(one::<String>(&mut client, problem), expected);
    let header = r#"{"alg":"ES512","kid":"es"}"#;
    let claims = r#"{"iss":"a","aud":"api","sub":"alice","exp":4102444800}"#;
    init(&mut client, &es.token_with_header("ES512", header, claims));
    assert_eq!(one::<String>(&mut client, "select auth.user_id()"), "alice");
}

#[test]
fn source_without_keys_has_one_row_with_the_reason() {
    let directory = PRELOADED.directory();
    let garbage = directory.join("garbage.json");
    fs::write(&garbage, "not JSON").unwrap();
    let unusable = directory.join("unusable.json");
    fs::write(
        &unusable,
        r#"{"keys":[{"kty":"OKP","crv":"X25519","kid":"x","x":"AA"},{"kty":"EC","kid":"y","use":"enc"}]}"#,
    )
    .unwrap();
    let missing = directory.join("missing.json");
    let [garbage, unusable, missing] = [garbage, unusable, missing].map(|path| path.display().to_string());
    let file = |issuer: &str, path: &str| format!(r#"{{"issuer":"{issuer}","jwks_file":"{path}"}}"#);
    let gone = KeyServer::start(Answer::Status(404));
    let no_set = KeyServer::start(Answer::Body("{}".to_owned()));
    let mut client = session_with(&[
        file("a", &missing),
        file("b", &garbage),
        file("c", &unusable),
        entry("d", &gone.url()),
        entry("e", &no_set.url()),
    ]);
    let no_keys = "there are no keys";
    let curve = "its \"crv\" is not supported";
    let not_sig = "its \"use\" is not \"sig\"";
    let none_usable = messages::no_usable_key(&format!("key 1, kid \"x\": {curve}; key 2, kid \"y\": {not_sig}"));
    let expected = [
        [
            "1",
            "jwks_file",
            "-",
            "f",
            no_keys,
            "it is not there, or not a regular file",
        ],
        ["2", "jwks_file", "-", "f", no_keys, messages::NOT_A_KEY],
        ["3", "jwks_file", "x", "f", curve, &none_usable],
        ["3", "jwks_file", "y", "f", not_sig, &none_usable],
        ["4", "jwks_url", "-", "f", no_keys, "server returned HTTP status 404"],
        [
            "5",
            "jwks_url",
            "-",
            "f",
            no_keys,
            &messages::not_a_key("it has no array \"keys\""),
        ],
    ];
    let mut rows = shown(&mut client, "provider, source, kid, usable, reason, last_error");
    // The rest of this error comes from the JSON parser.
    rows[1][5].truncate(messages::NOT_A_KEY.len());
    assert_eq!(rows, expected);
    // A file is read when it is checked, and a key set that was never fetched has no time.
    assert_eq!(
        shown(&mut client, "provider, fetched_at is null, next_refresh is null")[0],
        ["1", "f", "t"]
    );
    assert_eq!(
        shown(&mut client, "provider, fetched_at is null, next_refresh > now()")[4..],
        [["4", "t", "t"], ["5", "t", "t"]]
    );
}

#[test]
fn no_providers_give_no_rows_and_unusable_ones_an_error() {
    let database = PRELOADED.database();
    let mut claims = PRELOADED.connect(&database, "postgres", r#"-c request.jwt.claims={"sub":"alice"}"#);
    assert_eq!(shown(&mut claims, COLUMNS), Vec::<Vec<String>>::new());
    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&PRELOADED, &database);
    init(&mut client, &proxy.token_of("alice"));
    assert_eq!(shown(&mut client, COLUMNS), Vec::<Vec<String>>::new());
    run(&mut claims, "set pg_session_jwt.claims_fallback = off");
    assert_eq!(shown(&mut claims, COLUMNS), Vec::<Vec<String>>::new());

    let database = SHARED.database();
    set_providers(&database, r#"[{"issuer":"a"}]"#);
    let mut client = SHARED.connect(&database, "postgres", "");
    let rejected = rejection(&mut client, "select * from auth.providers()");
    let message = messages::PROVIDERS_UNUSABLE;
    assert_eq!(
        (rejected.sqlstate.as_str(), rejected.message.as_str()),
        ("22023", message)
    );
}
