//! Claims that a proxy's token must have, and their forms.

use testkit::messages;
use testkit::session::{Proxy, init, now, one, refusal, refuses, refuses_token, user_id};

#[test]
fn jti_of_a_proxy_token_is_a_64_bit_integer() {
    // Out of range is a rejection with a message, not a type error.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    for jti in [
        "",
        r#""jti":null,"#,
        r#""jti":"5","#,
        r#""jti":5.0,"#,
        r#""jti":5e0,"#,
        r#""jti":true,"#,
        r#""jti":[5],"#,
        r#""jti":9223372036854775808,"#,
        r#""jti":-9223372036854775809,"#,
        r#""jti":18446744073709551616,"#,
        r#""messages::NO_TOKEN_ID":5,"#,
    ] {
        refuses_token(
            &mut client,
            &proxy.raw(format!(r#"{{{jti}"sub":"bob"}}"#)),
            "22023",
            messages::NO_TOKEN_ID,
        );
    }
    init(&mut client, &proxy.raw(r#"{"jti":9223372036854775807,"sub":"bob"}"#));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn dates_are_numbers_of_seconds() {
    // Out of range is a rejection with a message, not a type error.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    for (claim, message) in [
        ("exp", messages::EXP_NOT_A_DATE),
        ("nbf", messages::NBF_NOT_A_DATE),
        ("iat", messages::IAT_NOT_A_DATE),
    ] {
        let in_a_string = format!("\"{}\"", now());
        for date in [
            &in_a_string,
            "null",
            "true",
            "[]",
            "-1",
            "-0.5",
            "253402300800",
            "9223372036854775808",
            "1e300",
        ] {
            let token = proxy.raw(format!(r#"{{"jti":9,"sub":"bob","{claim}":{date}}}"#));
            refuses_token(&mut client, &token, "22023", message);
        }
    }
    let dates = r#""jti":9,"sub":"bob","nbf":0,"iat":0.5,"exp":253402300799"#;
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
        refuses_token(&mut client, &token, "28000", message);
        let refused = refusal(&mut client, &format!("select auth.jwt_session_init('{token}')"));
        let detail = refused.detail.unwrap();
        assert!(
            detail.starts_with(&format!("{claim}={date}, now={}", at / 100)),
            "{detail}"
        );
        assert!(detail.ends_with(", leeway=60"), "{detail}");
    }
}

/// attack: 57
#[test]
fn user_id_that_is_not_a_string_is_an_error_when_read() {
    let proxy = Proxy::new();
    let mut client = proxy.session();
    let subs = ["7", "null", "true", "{}", r#"["alice"]"#, "1.5"];
    for (jti, sub) in (1..).zip(subs) {
        init(
            &mut client,
            &proxy.token_with_jti(jti, &format!(r#""sub":{sub},"email":"a@example.com""#)),
        );
        refuses(
            &mut client,
            "select auth.user_id()",
            "22023",
            messages::SUB_NOT_A_STRING,
        );
        assert!(
            one::<bool>(&mut client, "select auth.uid() is null and auth.organization() is null"),
            "{sub}"
        );
        assert_eq!(one::<String>(&mut client, "select auth.email()"), "a@example.com");
        let reason = one::<String>(
            &mut client,
            "select reason from auth.status() where identity and user_id is null",
        );
        assert_eq!(reason, "claim sub is not a string");
    }
    init(&mut client, &proxy.token_with_jti(100, r#""email":"a@example.com""#));
    assert_eq!(user_id(&mut client), None);
    assert_eq!(one::<String>(&mut client, "select auth.email()"), "a@example.com");
}
