//! Tokens of identity providers whose keys are in the setting itself.

use testkit::messages;
use testkit::provider::{Provider, database};
use testkit::server::SHARED;
use testkit::session::{Proxy, init, now, one, rejection, rejects, run, user_id};
use testkit::signer::Signer;

#[test]
fn provider_token_needs_no_jti() {
    let provider = Provider::new("https://a.example/");
    let mut client = SHARED.connect(&database(&[provider.entry("")]), "postgres", "");
    run(&mut client, "select auth.init()");
    assert_eq!(user_id(&mut client), None);
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let status = "select concat_ws(' ', mode, identity, issuer, kid, user_id) from auth.status()";
    assert_eq!(
        one::<String>(&mut client, status),
        "provider t https://a.example/ k1 alice"
    );
    init(&mut client, &provider.token("alice"));
}

/// attack: 65
#[test]
fn providers_disable_the_weaker_modes() {
    let provider = Provider::new("a");
    let mut proxy = Proxy::new();
    let options = format!(r#"{} -c request.jwt.claims={{"sub":"mallory"}}"#, proxy.options());
    let mut client = SHARED.connect(&database(&[provider.entry("")]), "postgres", &options);
    assert_eq!(user_id(&mut client), None);
    let foreign = format!("select auth.jwt_session_init('{}')", proxy.token_of("mallory"));
    rejects(&mut client, &foreign, "28000", messages::UNKNOWN_ISSUER);
    assert_eq!(user_id(&mut client), None);
}

/// attack: 63, 134
#[test]
fn two_databases_do_not_accept_each_others_tokens() {
    let (one_provider, other) = (Provider::new("a"), Provider::new("b"));
    let (first, second) = (database(&[one_provider.entry("")]), database(&[other.entry("")]));
    for (database, good, bad) in [(&first, &one_provider, &other), (&second, &other, &one_provider)] {
        let mut client = SHARED.connect(database, "postgres", "");
        init(&mut client, &good.token("alice"));
        let foreign = format!("select auth.jwt_session_init('{}')", bad.token("mallory"));
        rejects(&mut client, &foreign, "28000", messages::UNKNOWN_ISSUER);
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
}

/// attack: 54
#[test]
fn issuer_audience_signature_and_kid_are_verified() {
    let (provider, other) = (Provider::new("a"), Provider::new("a"));
    let mut client = SHARED.connect(&database(&[provider.entry(r#","audience":["api"]"#)]), "postgres", "");
    init(
        &mut client,
        &provider.token_with(r#""sub":"alice","aud":["web","api"]"#),
    );
    let payload = r#"{"iss":"a","aud":"api","sub":"mallory"}"#;
    let unknown = provider
        .signer
        .token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k2"}"#, payload);
    let secret = Signer::Hmac(provider.signer.jwk("").into_bytes());
    let forged = secret.token_with_header("HS256", r#"{"alg":"HS256","kid":"k1"}"#, payload);
    for (token, message) in [
        (
            provider.token_with(r#""sub":"mallory","aud":"web""#),
            messages::OTHER_AUDIENCE,
        ),
        (provider.token_with(r#""sub":"mallory""#), messages::OTHER_AUDIENCE),
        (
            other.token_with(r#""sub":"mallory","aud":"api""#),
            messages::INVALID_SIGNATURE,
        ),
        (unknown, messages::NO_KEY_OF_TOKEN),
        (forged, messages::ALGORITHM_MISMATCH),
    ] {
        rejects(
            &mut client,
            &format!("select auth.jwt_session_init('{token}')"),
            "28000",
            message,
        );
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
}

#[test]
fn another_claim_can_be_the_user_id() {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(
        &database(&[provider.entry(r#","user_id_claim":"oid""#)]),
        "postgres",
        "",
    );
    init(&mut client, &provider.token_with(r#""sub":"pairwise","oid":"stable""#));
    assert_eq!(user_id(&mut client).as_deref(), Some("stable"));
    init(&mut client, &provider.token_with(r#""sub":"pairwise""#));
    assert_eq!(user_id(&mut client), None);
}

/// attack: 133
#[test]
fn changed_provider_ends_its_identities() {
    let (old, new) = (Provider::new("a"), Provider::new("a"));
    let mut client = SHARED.connect(&database(&[old.entry("")]), "postgres", "");
    let token = old.token("alice");
    init(&mut client, &token);
    run(
        &mut client,
        &format!("set pg_session_jwt.providers = '[{}]'", new.entry("")),
    );
    rejects(
        &mut client,
        "select auth.user_id()",
        "28000",
        messages::INVALID_SIGNATURE,
    );
    rejects(
        &mut client,
        "select auth.session()",
        "28000",
        messages::INVALID_SIGNATURE,
    );
    // Set again, the same keys give the same identity.
    run(&mut client, "reset pg_session_jwt.providers");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    run(&mut client, "set pg_session_jwt.providers = ''");
    rejects(&mut client, "select auth.user_id()", "55000", messages::LOST_PROVIDERS);
}

#[test]
fn only_the_roles_of_a_provider_may_use_its_tokens() {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(
        &database(&[provider.entry(r#","roles":["authenticated"]"#)]),
        "postgres",
        "",
    );
    let present_it = format!("select auth.jwt_session_init('{}')", provider.token("alice"));
    rejects(&mut client, &present_it, "28000", messages::ROLE);
    run(&mut client, "set role authenticated");
    run(&mut client, &present_it);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    run(&mut client, "set role anonymous");
    rejects(&mut client, "select auth.user_id()", "28000", messages::ROLE);
    run(&mut client, "set role authenticated");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn unusable_providers_disable_every_mode() {
    let provider = Provider::new("a");
    let mut admin = SHARED.connect("postgres", "postgres", "");
    let database = SHARED.database();
    // While the library is not loaded PostgreSQL accepts any value.
    run(
        &mut admin,
        &format!("alter database {database} set pg_session_jwt.providers = '[{{\"issuer\":\"a\"}}]'"),
    );
    let options = format!(
        r#"{} -c request.jwt.claims={{"sub":"mallory"}}"#,
        Proxy::new().options()
    );
    let mut client = SHARED.connect(&database, "postgres", &options);
    for call in ["user_id()", "session()", "init()", "uid()"] {
        let rejection = rejection(&mut client, &format!("select auth.{call}"));
        assert_eq!(rejection.sqlstate, "22023");
        assert_eq!(rejection.message, messages::PROVIDERS_UNUSABLE);
        assert_eq!(
            rejection.detail.as_deref(),
            Some("Provider 1 cannot discover its keys: its \"issuer\" is not an absolute URL.")
        );
    }
    assert_eq!(one::<String>(&mut client, "select mode from auth.status()"), "unusable");
    // Now that it is loaded, an interactive user gets an error.
    rejects(
        &mut client,
        "set pg_session_jwt.providers = '{}'",
        "22023",
        messages::PROVIDERS_NOT_USABLE,
    );
    run(
        &mut client,
        &format!("set pg_session_jwt.providers = '[{}]'", provider.entry("")),
    );
    init(&mut client, &provider.token("alice"));
}

#[test]
fn an_ordinary_user_neither_sees_nor_sets_the_providers() {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(&database(&[provider.entry("")]), "postgres", "");
    run(&mut client, "select auth.user_id(); set role authenticated");
    let set = "permission denied to set parameter \"pg_session_jwt.providers\"";
    assert_eq!(
        rejection(&mut client, "show pg_session_jwt.providers").sqlstate,
        "42501"
    );
    let current = "select current_setting('pg_session_jwt.providers')";
    assert_eq!(rejection(&mut client, current).sqlstate, "42501");
    rejects(&mut client, "set pg_session_jwt.providers = ''", "42501", set);
    rejects(&mut client, "reset pg_session_jwt.providers", "42501", set);
    let rows = one::<i64>(
        &mut client,
        "select count(*) from pg_settings where name = 'pg_session_jwt.providers'",
    );
    assert_eq!(rows, 0);
    run(&mut client, "reset all");
    init(&mut client, &provider.token("alice"));
}

#[test]
fn issuer_that_is_not_a_string_is_rejected() {
    let (named, any) = (Provider::new("a"), Provider::with_kid("b", "k2"));
    let without_issuer = format!(r#"{{"audience":"x","jwks":{}}}"#, any.key_set());
    let mut client = SHARED.connect(&database(&[named.entry(""), without_issuer]), "postgres", "");
    for provider in [&named, &any] {
        for iss in ["1", "null", "{}", r#"["a"]"#] {
            let rejected = rejection(
                &mut client,
                &format!(
                    "select auth.jwt_session_init('{}')",
                    provider.signed(&format!(r#"{{"iss":{iss},"aud":"x","sub":"mallory"}}"#))
                ),
            );
            assert_eq!(
                (
                    rejected.sqlstate.as_str(),
                    rejected.message.as_str(),
                    rejected.detail.as_deref()
                ),
                (
                    "28000",
                    messages::UNKNOWN_ISSUER,
                    Some("The JWT has no string \"iss\".")
                ),
                "{iss}"
            );
        }
    }
    assert_eq!(user_id(&mut client), None);
    // A provider that requires none accepts tokens without it.
    let exp = now() + 60;
    init(
        &mut client,
        &any.signed(&format!(r#"{{"aud":"x","sub":"alice","exp":{exp}}}"#)),
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}
