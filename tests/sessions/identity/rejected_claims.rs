//! Claims that a proxy's token must have, and their forms.

use rstest::rstest;

use testkit::messages;
use testkit::session::{Proxy, init, now, one, rejection, rejects, rejects_token, user_id};

// Out of range is a rejection with a message, not a type error.
#[rstest]
#[case("")]
#[case(r#""jti":null,"#)]
#[case(r#""jti":"5","#)]
#[case(r#""jti":5.0,"#)]
#[case(r#""jti":5e0,"#)]
#[case(r#""jti":true,"#)]
#[case(r#""jti":[5],"#)]
#[case(r#""jti":9223372036854775808,"#)]
#[case(r#""jti":-9223372036854775809,"#)]
#[case(r#""jti":18446744073709551616,"#)]
#[case(r#""JTI":5,"#)]
fn jti_of_a_proxy_token_is_a_64_bit_integer(#[case] jti: &str) {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    let token = proxy.raw(format!(r#"{{{jti}"sub":"bob"}}"#));
    rejects_token(&mut client, &token, "28000", messages::NO_TOKEN_ID);
    init(&mut client, &proxy.raw(r#"{"jti":9223372036854775807,"sub":"bob"}"#));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

// Out of range is a rejection with a message, not a type error.
#[rstest]
fn dates_are_numbers_of_seconds(
    #[values(
        ("exp", messages::EXP_NOT_A_DATE),
        ("nbf", messages::NBF_NOT_A_DATE),
        ("iat", messages::IAT_NOT_A_DATE)
    )]
    (claim, message): (&str, &str),
    #[values(
        &format!("\"{}\"", now()),
        "null",
        "true",
        "[]",
        "-0.5",
        "253402300800",
        "9223372036854775808",
        "1e300"
    )]
    date: &str,
) {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    let token = proxy.raw(format!(r#"{{"jti":9,"sub":"bob","{claim}":{date}}}"#));
    rejects_token(&mut client, &token, "28000", message);
}

#[test]
fn dates_with_fractions_and_at_both_ends_are_accepted() {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    let negative = proxy.raw(r#"{"jti":9,"sub":"bob","exp":-1}"#);
    rejects_token(&mut client, &negative, "28000", messages::EXP_NOT_A_DATE);
    let dates = r#""jti":9,"sub":"bob","nbf":-62135596800,"iat":0.5,"exp":253402300799"#;
    init(&mut client, &proxy.raw(format!("{{{dates}}}")));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn token_outside_its_lifetime_reports_the_difference() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let at = now();
    for (claim, date, message) in [
        ("exp", at - 61, messages::EXPIRED),
        ("nbf", at + 90, messages::NOT_YET_VALID),
    ] {
        let token = proxy.raw(format!(r#"{{"jti":9,"sub":"bob","{claim}":{date}}}"#));
        rejects_token(&mut client, &token, "28000", message);
        let rejected = rejection(&mut client, &format!("select auth.jwt_session_init('{token}')"));
        let detail = rejected.detail.unwrap();
        assert!(
            detail.starts_with(&format!("{claim}={date}, now={}", at / 100)),
            "{detail}"
        );
        assert!(detail.ends_with(", leeway=60"), "{detail}");
    }
}

/// attack: 57
#[rstest]
#[case("7")]
#[case("null")]
#[case("true")]
#[case("{}")]
#[case(r#"["alice"]"#)]
#[case("1.5")]
fn user_id_that_is_not_a_string_is_an_error_when_read(#[case] sub: &str) {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    init(
        &mut client,
        &proxy.token(&format!(r#""sub":{sub},"email":"a@example.com""#)),
    );
    rejects(
        &mut client,
        "select auth.user_id()",
        "28000",
        messages::SUB_NOT_A_STRING,
    );
    assert!(one::<bool>(
        &mut client,
        "select auth.uid() is null and auth.organization() is null"
    ));
    assert_eq!(one::<String>(&mut client, "select auth.email()"), "a@example.com");
    let reason = one::<String>(
        &mut client,
        "select reason from auth.status() where identity and user_id is null",
    );
    assert_eq!(reason, "claim sub is not a string");
}

#[test]
fn token_without_a_user_id_is_an_identity() {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    init(&mut client, &proxy.token(r#""email":"a@example.com""#));
    assert_eq!(user_id(&mut client), None);
    assert_eq!(one::<String>(&mut client, "select auth.email()"), "a@example.com");
}
