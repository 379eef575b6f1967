//! Rejected tokens: under which provider, and for which reason.

use postgres::Client;

use testkit::provider::{Provider, database_on};
use testkit::session::{Proxy, init, now, one, run};
use testkit::signer::RSA;

use super::support::{A, SERVER, Site, counted};

/// Presents a token that is rejected, in two ways.
#[track_caller]
fn reject_twice(client: &mut Client, token: &str) {
    for sql in [
        format!("select auth.jwt_session_init('{token}')"),
        format!("set pg_session_jwt.jwt = '{token}'"),
    ] {
        assert!(client.batch_execute(&sql).is_err(), "{token}");
    }
}

/// A provider with every rule, and a token that breaks one of them.
struct Strict {
    provider: Provider,
    database: String,
}

impl Strict {
    fn new() -> Strict {
        let provider = Provider::new(A);
        let rsa = RSA.jwk(r#""kid":"rsa""#);
        let entry = format!(
            r#"{{"issuer":"{A}","jwks":{{"keys":[{},{rsa}]}},"audience":"api","claims":{{"tenant":"t"}},
                "algorithms":["EdDSA","RS256"],"max_age":600}}"#,
            provider.jwk()
        );
        let database = database_on(&SERVER, &[entry], "");
        Strict { provider, database }
    }

    /// The payload of a valid token, with one member replaced.
    fn payload(&self, replaced: &str, by: &str) -> String {
        let (iat, exp) = (now(), now() + 60);
        let valid = format!(r#"{{"iss":"{A}","sub":"alice","aud":"api","tenant":"t","iat":{iat},"exp":{exp}}}"#);
        let value = match replaced {
            "iat" => format!(r#""iat":{iat},"#),
            "exp" => format!(r#","exp":{exp}"#),
            other => other.to_owned(),
        };
        assert!(valid.contains(&value), "{valid} has no {value}");
        valid.replace(&value, by)
    }

    fn token(&self, replaced: &str, by: &str) -> String {
        self.provider.signed(&self.payload(replaced, by))
    }

    fn with_header(&self, alg: &str, header: &str) -> String {
        let signer = if alg == "EdDSA" { &self.provider.signer } else { &*RSA };
        signer.token_with_header(alg, header, self.payload("", ""))
    }
}

/// Each reason has the name of the rule in `auth.verify()`.
#[test]
fn each_rule_is_a_reason() {
    let strict = Strict::new();
    let mut client = SERVER.connect(&strict.database, "postgres", "");
    init(&mut client, &strict.token("", ""));
    let past = now() - 1000;
    let forged = Provider::new(A).signed(&strict.payload("", ""));
    let cases = [
        ("form", "a.b".to_owned()),
        ("header", strict.with_header("EdDSA", r#"{"alg":"none","kid":"k1"}"#)),
        (
            "payload",
            strict.token(r#""tenant":"t""#, r#""tenant":"t","tenant":"t""#),
        ),
        ("payload", strict.token("exp", r#","exp":"x""#)),
        ("key", strict.with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k9"}"#)),
        ("signature", forged),
        (
            "signature",
            strict.with_header("RS256", r#"{"alg":"RS256","kid":"k1"}"#),
        ),
        (
            "algorithms",
            strict.with_header("RS512", r#"{"alg":"RS512","kid":"rsa"}"#),
        ),
        (
            "token_types",
            strict.token(r#""tenant":"t""#, r#""tenant":"t","events":{}"#),
        ),
        (
            "token_types",
            strict.with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k1","typ":"x"}"#),
        ),
        ("audience", strict.token(r#""aud":"api""#, r#""aud":"other""#)),
        ("claims", strict.token(r#""tenant":"t""#, r#""tenant":"u""#)),
        (
            "sender_constrained",
            strict.token(r#""tenant":"t""#, r#""tenant":"t","cnf":{}"#),
        ),
        (
            "nbf",
            strict.token(r#""tenant":"t""#, &format!(r#""tenant":"t","nbf":{}"#, now() + 500)),
        ),
        ("exp", strict.token("exp", &format!(r#","exp":{past}"#))),
        ("expiry", strict.token("exp", "")),
        ("max_age", strict.token("iat", &format!(r#""iat":{past},"#))),
    ];
    for (reason, token) in &cases {
        let rule = "select rule from auth.verify($1) with ordinality r where not passed order by ordinality limit 1";
        let rule: String = client.query_one(rule, &[token]).unwrap().get(0);
        assert_eq!(&rule, reason, "{token}");
        reject_twice(&mut client, token);
    }
    // Two tokens could not be read, and so name no issuer.
    let mut expected: Vec<String> = ["form", "payload"]
        .map(|reason| format!("- rejected {reason} 2"))
        .to_vec();
    let two = ["signature", "token_types"];
    for (reason, _) in cases.iter().filter(|(reason, _)| *reason != "form") {
        let tokens = if two.contains(reason) { 4 } else { 2 };
        expected.push(format!("{A} rejected {reason} {tokens}"));
    }
    expected.push(format!("{A} accepted new 1"));
    expected.sort();
    expected.dedup();
    let mut counted = counted(&SERVER, &strict.database);
    counted.sort();
    assert_eq!(counted, expected);
}

#[test]
fn issuers_that_are_not_configured_share_a_row() {
    let site = Site::new();
    let mut client = site.session();
    for number in 0..10 {
        let token = Provider::new(&format!("https://{number}.example/")).token("alice");
        reject_twice(&mut client, &token);
    }
    reject_twice(&mut client, &Provider::new("https://a.example").token("alice"));
    assert_eq!(site.counted(), ["- rejected provider 22"]);
}

#[test]
fn texts_that_are_not_read_are_counted() {
    let site = Site::new();
    let mut client = site.session();
    reject_twice(&mut client, &"x".repeat(100_000));
    client.batch_execute("select auth.jwt_session_init('')").unwrap_err();
    assert_eq!(site.counted(), ["- rejected form 3"]);
    // NULL is no token, an empty setting a logout.
    client.batch_execute("select auth.jwt_session_init(null)").unwrap_err();
    run(&mut client, "set pg_session_jwt.jwt = ''");
    assert_eq!(site.counted(), ["- rejected form 3"]);
}

#[test]
fn a_replayed_token_of_proxy_mode() {
    let proxy = Proxy::new();
    let database = SERVER.database();
    let mut client = proxy.session_on(&SERVER, &database);
    let token = proxy.token_with_jti(5, r#""sub":"alice""#);
    init(&mut client, &token);
    reject_twice(&mut client, &token);
    assert_eq!(counted(&SERVER, &database), ["- accepted new 1", "- rejected jti 2"]);
}

#[test]
fn role_of_another_provider() {
    let provider = Provider::new(A);
    let database = database_on(&SERVER, &[provider.entry(r#","roles":["authenticated"]"#)], "");
    let mut client = SERVER.connect(&database, "postgres", "");
    reject_twice(&mut client, &provider.token("alice"));
    run(&mut client, "set role authenticated");
    init(&mut client, &provider.token("bob"));
    let expected = [
        "https://a.example/ accepted new 1",
        "https://a.example/ rejected roles 2",
    ];
    assert_eq!(counted(&SERVER, &database), expected);
}

#[test]
fn character_that_the_database_lacks() {
    let provider = Provider::new(A);
    let options = "encoding 'LATIN1' template template0 locale 'C'";
    let database = database_on(&SERVER, &[provider.entry("")], options);
    let mut client = SERVER.connect(&database, "postgres", "");
    reject_twice(&mut client, &provider.token("\\u65e5"));
    assert_eq!(counted(&SERVER, &database), ["https://a.example/ rejected encoding 2"]);
}

#[test]
fn identity_that_would_outlast_its_transaction() {
    let site = Site::new();
    let mut client = site.session();
    run(&mut client, "set pg_session_jwt.identity_scope = transaction");
    let token = site.a.token("alice");
    let init = format!("select auth.jwt_session_init('{token}')");
    client.batch_execute(&init).unwrap_err();
    assert_eq!(site.counted(), ["- rejected identity_scope 1"]);
    // SET verifies the token first: two lines of the audit log.
    client
        .batch_execute(&format!("set pg_session_jwt.jwt = '{token}'"))
        .unwrap_err();
    let expected = ["https://a.example/ accepted new 1", "- rejected identity_scope 2"];
    assert_eq!(site.counted(), expected);
}

#[test]
fn faults_of_the_server() {
    let entry = format!(r#"{{"issuer":"{A}","jwks_file":"/nonexistent/keys.json"}}"#);
    let without_keys = database_on(&SERVER, &[entry], "");
    let token = Provider::new(A).token("alice");
    reject_twice(&mut SERVER.connect(&without_keys, "postgres", ""), &token);
    assert_eq!(
        counted(&SERVER, &without_keys),
        ["https://a.example/ rejected no_keys 2"]
    );
    let without_providers = SERVER.database();
    reject_twice(&mut SERVER.connect(&without_providers, "postgres", ""), &token);
    assert_eq!(counted(&SERVER, &without_providers), ["- rejected settings 2"]);
}

#[test]
fn a_rejected_token_of_the_startup_packet_counts_once() {
    let site = Site::new();
    let token = Provider::new(A).token("mallory");
    let options = format!("-c pg_session_jwt.jwt={token}");
    let mut client = SERVER.connect(&site.database, "postgres", &options);
    for _ in 0..5 {
        client.batch_execute("select auth.user_id()").unwrap_err();
        assert_eq!(site.counted(), ["https://a.example/ rejected signature 1"]);
    }
    let reason = one::<Option<String>>(&mut client, "select reason from auth.status()");
    assert!(reason.is_some());
    assert_eq!(site.counted(), ["https://a.example/ rejected signature 1"]);
}
