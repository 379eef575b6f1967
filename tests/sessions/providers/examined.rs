//! `auth.verify()`: each rule for a token with its result, the outcome of a presentation, and no other effect.

use postgres::Client;
use testkit::forgeries::Victim;
use testkit::messages;
use testkit::provider::{Provider, database};
use testkit::server::SHARED;
use testkit::session::{Proxy, init, now, one, rejection, rejects, rows, run, user_id};

/// The rows for a token, without those of rules that are met and have no detail.
fn verified(client: &mut Client, arguments: &str) -> Vec<(String, Option<String>, Option<String>)> {
    let sql = format!("select rule, passed, detail from auth.verify({arguments})");
    let told = rows(client, &sql).into_iter().map(|row| {
        let [rule, passed, detail] = row.try_into().unwrap();
        (rule.unwrap(), passed, detail)
    });
    told.filter(|(rule, passed, detail)| rule == "outcome" || passed.as_deref() != Some("t") || detail.is_some())
        .collect()
}

/// The names of the rules with this result.
fn named(client: &mut Client, token: &str, passed: &str) -> String {
    let sql = format!("select coalesce(string_agg(rule, ' '), '') from auth.verify('{token}') where passed {passed}");
    one(client, &sql)
}

fn row(rule: &str, passed: &str, detail: &str) -> (String, Option<String>, Option<String>) {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (rule.to_owned(), text(passed), text(detail))
}

#[test]
fn a_valid_token_meets_every_rule() {
    let provider = Provider::new("https://a.example/");
    let entry = provider.entry(r#","audience":"api","roles":["authenticated","team"],"claims":{"tenant":"t"}"#);
    let mut client = SHARED.connect(&database(&[entry]), "postgres", "");
    let exp = now() + 60;
    let token = provider.token_with(&format!(r#""sub":"alice","aud":"api","tenant":"t","exp":{exp}"#));
    let time = |client: &mut Client| one::<i64>(client, "select extract(epoch from now())::bigint");
    run(&mut client, "begin");
    let mut told = verified(&mut client, &format!("'{token}'"));
    let at = time(&mut client);
    run(&mut client, "commit");
    let (_, _, expires) = told.remove(9);
    let expires = expires.unwrap();
    assert!(
        expires.starts_with(&format!("exp={exp}, now={}", at / 100)),
        "{expires}"
    );
    let expected = [
        row("form", "t", &format!("{} bytes", token.len())),
        row("header", "t", r#"alg="EdDSA", kid="k1", typ="JWT""#),
        row("provider", "t", r#"provider 1, iss="https://a.example/""#),
        row("key", "t", r#"kid="k1""#),
        row("algorithms", "t", r#"alg="EdDSA""#),
        row("token_types", "t", r#"typ="JWT""#),
        row("audience", "t", r#"aud="api""#),
        row("sender_constrained", "t", "no cnf"),
        row("nbf", "t", "no nbf"),
        row("max_age", "t", "no iat"),
        row("roles", "", "authenticated, team"),
        row("user_id", "", r#"sub="alice""#),
        row("outcome", "t", ""),
    ];
    assert_eq!(told, expected);
    let of_role = |client: &mut Client, role: &str| {
        let told = verified(client, &format!("'{token}', '{role}'"));
        told.into_iter()
            .filter(|(rule, ..)| rule == "roles" || rule == "outcome")
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of_role(&mut client, "team"),
        [row("roles", "t", "authenticated, team"), row("outcome", "t", "")]
    );
    let rejected_role = format!("{} (The current role is postgres.)", messages::ROLE);
    assert_eq!(
        of_role(&mut client, "postgres"),
        [
            row("roles", "f", &rejected_role),
            row("outcome", "f", &format!("28000: {rejected_role}"))
        ]
    );
    assert_eq!(user_id(&mut client), None);
}

#[test]
fn each_failure_is_reported_and_the_outcome_is_that_of_a_presentation() {
    let provider = Provider::new("https://id.example/");
    let mut client = SHARED.connect(
        &database(&[provider.entry(r#","audience":"todos","max_age":600"#)]),
        "postgres",
        "",
    );
    let wrong = provider.token_with(r#""aud":"other","cnf":{},"iat":1,"exp":1"#);
    assert_eq!(
        named(&mut client, &wrong, "is false"),
        "audience sender_constrained exp max_age outcome"
    );
    assert_eq!(named(&mut client, &wrong, "is null"), "encoding roles user_id");
    let foreign = Provider::new("https://id.example").token("alice");
    assert_eq!(named(&mut client, &foreign, "is true"), "form header payload");
    assert_eq!(named(&mut client, &foreign, "is false"), "provider outcome");
    let victim = Victim {
        key: &provider.signer,
        issuer: "https://id.example/",
        claims: r#""aud":"todos""#,
        user: "alice",
        attacker: "mallory",
    };
    let forged = victim.not_signed().into_iter().chain(victim.no_tokens());
    let mut tokens: Vec<String> = forged.map(|forgery| forgery.token).chain(victim.bombs()).collect();
    tokens.extend([wrong, foreign, String::new(), "x".repeat(65_537)]);
    for token in tokens {
        let outcome = format!("select detail from auth.verify('{token}') where rule = 'outcome' and not passed");
        let told: String = one(&mut client, &outcome);
        let rejected = rejection(&mut client, &format!("select auth.jwt_session_init('{token}')"));
        let detail = rejected
            .detail
            .map_or_else(String::new, |detail| format!(" ({detail})"));
        let expected = format!("{}: {}{detail}", rejected.sqlstate, rejected.message);
        let until_now = |text: &str| text.split("now=").next().unwrap().to_owned();
        assert_eq!(until_now(&told), until_now(&expected), "{token:.200}");
    }
}

#[test]
fn an_examined_token_changes_nothing() {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(&database(&[provider.entry("")]), "postgres", "");
    init(&mut client, &provider.token("alice"));
    let other = provider.token("bob");
    assert_eq!(named(&mut client, &other, "is false"), "");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    let next = proxy.token_of("bob");
    for _ in 0..2 {
        assert_eq!(named(&mut client, &next, "is false"), "");
        let rules = "form header key signature payload nbf exp jti encoding outcome";
        assert_eq!(named(&mut client, &next, "is true"), rules);
    }
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    init(&mut client, &next);
    assert_eq!(named(&mut client, &next, "is false"), "jti outcome");
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

/// The token of the startup packet has not been read before the examination, which reads it first.
#[test]
fn after_the_startup_packet_its_token_counts_and_stays() {
    let provider = Provider::new("a");
    let database = database(&[provider.entry("")]);
    let connect = |token: &str| {
        let options = format!("-c pg_session_jwt.jwt={token}");
        SHARED.connect(&database, "postgres", &options)
    };
    let (alice, bob) = (provider.token("alice"), provider.token("bob"));
    let mut client = connect(&alice);
    for token in [&bob, &alice] {
        assert_eq!(named(&mut client, token, "is false"), "");
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
    // A token that is rejected hides no other one.
    let mut client = connect(&provider.token_with(r#""sub":"alice","exp":1"#));
    assert_eq!(named(&mut client, &bob, "is false"), "");
    rejects(&mut client, "select auth.user_id()", "28000", messages::EXPIRED);

    let mut proxy = Proxy::new();
    let (first, second) = (proxy.token_of("alice"), proxy.token_of("bob"));
    let options = format!("{} -c pg_session_jwt.jwt={first}", proxy.options());
    let mut client = SHARED.connect(&SHARED.database(), "postgres", &options);
    assert_eq!(named(&mut client, &first, "is false"), "jti outcome");
    assert_eq!(named(&mut client, &second, "is false"), "");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    init(&mut client, &second);
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn a_user_id_that_is_missing_or_malformed_is_named_and_does_not_decide() {
    let provider = Provider::new("a");
    let entry = provider.entry(r#","user_id_claim":"oid""#);
    let mut client = SHARED.connect(&database(&[entry]), "postgres", "");
    for (members, told) in [
        (r#""oid":"7""#, "oid=\"7\""),
        (r#""oid":7"#, "claim oid is not a string"),
        (r#""sub":"7""#, "there is no string claim oid"),
    ] {
        let token = provider.token_with(members);
        let sql = format!("select detail from auth.verify('{token}') where rule = 'user_id' and passed is null");
        assert_eq!(one::<String>(&mut client, &sql), told);
        assert_eq!(named(&mut client, &token, "is false"), "");
    }
}

#[test]
fn null_and_a_missing_key_are_errors_and_only_administrators_may_call_it() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    rejects(&mut client, "select auth.verify(null)", "22004", messages::NULL_TOKEN);
    rejects(&mut client, "select auth.verify('a.b.c')", "55000", messages::NO_KEY);
    for (role, may) in [
        ("authenticated", false),
        ("anonymous", false),
        ("pg_database_owner", false),
        ("pg_read_all_settings", true),
    ] {
        let sql = format!("select has_function_privilege('{role}', 'auth.verify(text, text)', 'execute')");
        assert_eq!(one::<bool>(&mut client, &sql), may, "{role}");
    }
    run(&mut client, "set role authenticated");
    let denied = "permission denied for function verify";
    rejects(&mut client, "select auth.verify('a.b.c')", "42501", denied);
}
