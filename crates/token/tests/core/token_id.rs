//! RFC 7519 §4.1.7 as proxy mode needs it: an integer `jti`, greater than the last one.

use pg_session_jwt_token::validity::TokenId;
use pg_session_jwt_token::{Error, Validity, verify};
use rstest::rstest;

use crate::sign::{ED25519, pinned, validity};

/// The `jti` of the identity, or why there is none.
fn check(jti: TokenId, claims: &str) -> Result<Option<i64>, Error> {
    let validity = Validity { jti, ..validity() };
    verify(ED25519.token("EdDSA", claims).as_bytes(), &pinned(&ED25519), &validity).map(|identity| identity.jti)
}

fn claim(jti: impl std::fmt::Display) -> String {
    format!(r#"{{"jti":{jti}}}"#)
}

/// JSON values that are not 64-bit integers.
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
fn a_jti_without_a_requirement_may_be_anything() {
    assert_eq!(check(TokenId::Any, "{}"), Ok(None));
    assert_eq!(check(TokenId::Any, &claim(7)), Ok(Some(7)));
    for jti in NO_INTEGERS {
        assert_eq!(check(TokenId::Any, &claim(jti)), Ok(None), "{jti}");
    }
}

#[rstest]
fn any_integer_meets_a_requirement_for_an_integer(#[values(0, 1, -1, i64::MAX, i64::MIN)] jti: i64) {
    assert_eq!(check(TokenId::Integer, &claim(jti)), Ok(Some(jti)));
}

#[test]
fn what_is_no_integer_of_64_bits_is_no_jti() {
    for required in [
        TokenId::Integer,
        TokenId::GreaterThan(i64::MIN),
        TokenId::GreaterThan(0),
    ] {
        assert_eq!(check(required, "{}"), Err(Error::TokenId));
        assert_eq!(check(required, r#"{"JTI":5}"#), Err(Error::TokenId));
        for jti in NO_INTEGERS {
            assert_eq!(check(required, &claim(jti)), Err(Error::TokenId), "{jti}");
        }
    }
}

#[rstest]
#[case(0, 1)]
#[case(-1, 0)]
#[case(i64::MIN, i64::MIN + 1)]
#[case(i64::MAX - 1, i64::MAX)]
#[case(i64::MIN, i64::MAX)]
fn a_jti_greater_than_the_last_is_accepted(#[case] last: i64, #[case] jti: i64) {
    assert_eq!(
        check(TokenId::GreaterThan(last), &claim(jti)),
        Ok(Some(jti)),
        "{last} {jti}"
    );
}

#[rstest]
#[case(0, 0)]
#[case(1, 0)]
#[case(0, -1)]
#[case(i64::MAX, i64::MAX)]
#[case(i64::MAX, 0)]
#[case(i64::MIN, i64::MIN)]
fn a_jti_must_be_greater_than_the_last(#[case] last: i64, #[case] jti: i64) {
    let replayed = Err(Error::TokenIdReplayed { jti, last });
    assert_eq!(check(TokenId::GreaterThan(last), &claim(jti)), replayed, "{last} {jti}");
}
