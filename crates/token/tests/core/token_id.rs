//! RFC 7519 §4.1.7 as proxy mode needs it: an integer `jti`, greater than the last one.

use pg_session_jwt_token::policy::TokenId;
use pg_session_jwt_token::{Error, Policy, verify};

use crate::sign::{ED25519, pinned, policy};

/// The `jti` of the identity, or why there is none.
fn ask(jti: TokenId, claims: &str) -> Result<Option<i64>, Error> {
    let policy = Policy { jti, ..policy() };
    verify(ED25519.token("EdDSA", claims).as_bytes(), &pinned(&ED25519), &policy).map(|identity| identity.jti)
}

fn claim(jti: impl std::fmt::Display) -> String {
    format!(r#"{{"jti":{jti}}}"#)
}

/// What may stand in a token and is no integer of 64 bits.
const NO_INTEGERS: [&str; 12] = [
    r#""5""#,
    r#""""#,
    "null",
    "true",
    "[5]",
    "{}",
    "5.0",
    "5e0",
    "-0",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
];

#[test]
fn nothing_is_asked_of_a_jti_that_nobody_needs() {
    assert_eq!(ask(TokenId::Any, "{}"), Ok(None));
    assert_eq!(ask(TokenId::Any, &claim(7)), Ok(Some(7)));
    for jti in NO_INTEGERS {
        assert_eq!(ask(TokenId::Any, &claim(jti)), Ok(None), "{jti}");
    }
}

#[test]
fn where_an_integer_is_asked_any_integer_will_do() {
    for jti in [0, 1, -1, i64::MAX, i64::MIN] {
        assert_eq!(ask(TokenId::Integer, &claim(jti)), Ok(Some(jti)));
    }
}

#[test]
fn what_is_no_integer_of_64_bits_is_no_jti() {
    for asked in [
        TokenId::Integer,
        TokenId::GreaterThan(i64::MIN),
        TokenId::GreaterThan(0),
    ] {
        assert_eq!(ask(asked, "{}"), Err(Error::TokenId));
        assert_eq!(ask(asked, r#"{"JTI":5}"#), Err(Error::TokenId));
        for jti in NO_INTEGERS {
            assert_eq!(ask(asked, &claim(jti)), Err(Error::TokenId), "{jti}");
        }
    }
}

#[test]
fn a_jti_must_be_greater_than_the_last() {
    for (last, jti) in [
        (0, 1),
        (-1, 0),
        (i64::MIN, i64::MIN + 1),
        (i64::MAX - 1, i64::MAX),
        (i64::MIN, i64::MAX),
    ] {
        assert_eq!(
            ask(TokenId::GreaterThan(last), &claim(jti)),
            Ok(Some(jti)),
            "{last} {jti}"
        );
    }
    for (last, jti) in [
        (0, 0),
        (1, 0),
        (0, -1),
        (i64::MAX, i64::MAX),
        (i64::MAX, 0),
        (i64::MIN, i64::MIN),
    ] {
        let replayed = Err(Error::TokenIdReplayed { jti, last });
        assert_eq!(ask(TokenId::GreaterThan(last), &claim(jti)), replayed, "{last} {jti}");
    }
}
