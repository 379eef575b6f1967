//! What a provider demands of its tokens beside issuer and audience: claims, type, end and age.

use rstest::rstest;
use testkit::messages;
use testkit::provider::{Provider, database};
use testkit::server::SHARED;
use testkit::session::{init, now, one, rejection, rejects, rejects_token, run, user_id};

const RULES: &str = r#","claims":{"azp":["https://app.example","https://admin.example"],"email_verified":true,
                       "org_id":{"present":true}}"#;

/// attack: 16, 54
#[rstest]
#[case(
    r#""azp":"https://other.example","email_verified":true,"org_id":1"#,
    r#"The JWT has another "azp"."#
)]
#[case(r#""email_verified":true,"org_id":1"#, r#"The JWT has no "azp"."#)]
#[case(
    r#""azp":"https://app.example","email_verified":"true","org_id":1"#,
    r#"The JWT has another "email_verified"."#
)]
#[case(
    r#""azp":"https://app.example","email_verified":true,"org_id":null"#,
    r#"The JWT has no "org_id"."#
)]
fn a_token_without_a_required_claim_is_rejected(#[case] members: &str, #[case] detail: &str) {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(&database(&[provider.entry(RULES)]), "postgres", "");
    let good = r#""azp":"https://admin.example","email_verified":true,"org_id":"o1""#;
    init(&mut client, &provider.token_with(&format!(r#""sub":"alice",{good}"#)));
    let bad = provider.token_with(&format!(r#""sub":"mallory",{members}"#));
    rejects_token(&mut client, &bad, "28000", messages::OTHER_CLAIM);
    let shown = rejection(&mut client, &format!("select auth.jwt_session_init('{bad}')"));
    assert_eq!(shown.detail.as_deref(), Some(detail));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// A logout token has the issuer, the audience, a user and `exp` of an access token (OpenID Connect Back-Channel Logout).
/// attack: 16
#[test]
fn a_logout_token_is_no_login() {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(&database(&[provider.entry("")]), "postgres", "");
    let payload = format!(r#"{{"iss":"a","sub":"alice","exp":{}}}"#, now() + 60);
    let of = |typ: &str| {
        let header = format!(r#"{{"alg":"EdDSA","kid":"k1","typ":"{typ}"}}"#);
        provider.signer.token_with_header("EdDSA", header, payload.as_str())
    };
    rejects_token(&mut client, &of("logout+jwt"), "28000", messages::OTHER_TYPE);
    // Not each issuer gives it a type.
    let events = r#""sub":"alice","events":{"http://schemas.openid.net/event/backchannel-logout":{}}"#;
    rejects_token(
        &mut client,
        &provider.token_with(events),
        "28000",
        messages::SECURITY_EVENT,
    );
    assert_eq!(user_id(&mut client), None);
    init(&mut client, &of("application/AT+JWT"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn a_token_that_is_bound_to_a_key_is_rejected() {
    let (careful, other) = (Provider::new("a"), Provider::new("b"));
    let entries = [careful.entry(""), other.entry(r#","sender_constrained":"accept""#)];
    let mut client = SHARED.connect(&database(&entries), "postgres", "");
    let bound = r#""sub":"alice","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#;
    rejects_token(
        &mut client,
        &careful.token_with(bound),
        "28000",
        messages::SENDER_CONSTRAINED,
    );
    init(&mut client, &other.token_with(bound));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// attack: 49
#[test]
fn a_token_must_expire() {
    let (usual, test) = (Provider::new("a"), Provider::new("b"));
    let entries = [usual.entry(""), test.entry(r#","expiry":"optional""#)];
    let mut client = SHARED.connect(&database(&entries), "postgres", "");
    rejects_token(
        &mut client,
        &usual.signed(r#"{"iss":"a","sub":"alice"}"#),
        "28000",
        messages::NO_EXPIRY,
    );
    init(&mut client, &test.signed(r#"{"iss":"b","sub":"bob"}"#));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    assert!(one::<bool>(&mut client, "select expires_at is null from auth.status()"));
}

/// At each use, too: an identity ends with the age of its token.
#[test]
fn a_token_and_its_identity_end_at_the_maximum_age() {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(&database(&[provider.entry(r#","max_age":300"#)]), "postgres", "");
    let issued = |age: i64| {
        provider.token_with(&format!(
            r#""sub":"alice","iat":{},"exp":{}"#,
            now() - age,
            now() + 9999
        ))
    };
    rejects_token(&mut client, &issued(361), "28000", messages::TOO_OLD);
    let without = provider.token_with(r#""sub":"alice""#);
    rejects_token(&mut client, &without, "28000", messages::NO_ISSUE_TIME);
    init(&mut client, &issued(300));
    let ends =
        "select expires_at between now() - interval '3 seconds' and now() + interval '1 second' from auth.status()";
    assert!(one::<bool>(&mut client, ends));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    run(&mut client, "set pg_session_jwt.leeway = 0");
    rejects(&mut client, "select auth.user_id()", "28000", messages::EXPIRED);
}
