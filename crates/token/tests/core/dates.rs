//! RFC 7519 §4.1.4-4.1.6 and §2 (NumericDate): exp, nbf and iat against the caller's clock.

use pg_session_jwt_token::NumericDate;
use pg_session_jwt_token::{Error, Identity, Validity, verify};
use rstest::rstest;
use testkit::cases::check;

use crate::sign::{ED25519, NOW, pinned, seconds, validity, verify_payload};

/// The outcome for these claims with this leeway.
fn with_leeway(leeway: u32, claims: &str) -> Result<Identity, Error> {
    let validity = Validity { leeway, ..validity() };
    verify(ED25519.token("EdDSA", claims).as_bytes(), &pinned(&ED25519), &validity)
}

fn claim(name: &str, value: impl std::fmt::Display) -> String {
    format!(r#"{{"{name}":{value}}}"#)
}

fn expires(claims: &str) -> Result<Option<NumericDate>, Error> {
    verify_payload(claims).map(|identity| identity.expires)
}

fn expired(exp: i64, leeway: u32) -> Error {
    Error::Expired {
        exp: seconds(exp),
        now: seconds(NOW),
        leeway,
    }
}

fn not_yet(nbf: i64, leeway: u32) -> Error {
    Error::NotYetValid {
        nbf: seconds(nbf),
        now: seconds(NOW),
        leeway,
    }
}

/// attack: 49
#[test]
fn a_token_without_dates_never_ends() {
    assert_eq!(expires("{}"), Ok(None));
}

#[rstest]
#[case(59, 60)]
#[case(-1, 0)]
#[case(299, 300)]
#[case(-1_000_000, 60)]
fn exp_within_the_leeway_is_accepted(#[case] age: i64, #[case] leeway: u32) {
    let identity = with_leeway(leeway, &claim("exp", NOW - age)).unwrap();
    assert_eq!(identity.expires, Some(seconds(NOW - age)), "{age} {leeway}");
}

/// attack: 51
#[rstest]
#[case(60, 60)]
#[case(61, 60)]
#[case(0, 0)]
#[case(1, 0)]
#[case(59, 0)]
#[case(300, 300)]
#[case(NOW, 60)]
fn exp_on_the_second_of_now_minus_leeway_is_rejected(#[case] age: i64, #[case] leeway: u32) {
    assert_eq!(
        with_leeway(leeway, &claim("exp", NOW - age)),
        Err(expired(NOW - age, leeway)),
        "{age} {leeway}"
    );
}

#[rstest]
#[case(60, 60)]
#[case(59, 60)]
#[case(0, 0)]
#[case(-1, 0)]
#[case(300, 300)]
#[case(-NOW, 60)]
fn nbf_may_be_ahead_by_the_leeway(#[case] ahead: i64, #[case] leeway: u32) {
    assert!(
        with_leeway(leeway, &claim("nbf", NOW + ahead)).is_ok(),
        "{ahead} {leeway}"
    );
}

/// attack: 53
#[rstest]
#[case(61, 60)]
#[case(1, 0)]
#[case(301, 300)]
#[case(1_000_000, 60)]
fn nbf_may_not_be_ahead_by_more_than_the_leeway(#[case] ahead: i64, #[case] leeway: u32) {
    assert_eq!(
        with_leeway(leeway, &claim("nbf", NOW + ahead)),
        Err(not_yet(NOW + ahead, leeway)),
        "{ahead} {leeway}"
    );
}

/// attack: 53
#[rstest]
fn iat_may_be_any_date(#[values(0, NOW - 1_000_000, NOW, NOW + 1_000_000, 253_402_300_799)] iat: i64) {
    assert!(verify_payload(claim("iat", iat)).is_ok(), "{iat}");
}

#[test]
fn fractions_of_a_second_count() {
    let micros = |micros: i64| NumericDate::from_micros(NOW * 1_000_000 + micros);
    let exp = format!("{}.000001", NOW - 60);
    assert_eq!(expires(&claim("exp", exp)), Ok(Some(micros(-59_999_999))));
    let exp = format!("{}.999999", NOW - 61);
    let rejected = Error::Expired {
        exp: micros(-60_000_001),
        now: seconds(NOW),
        leeway: 60,
    };
    assert_eq!(expires(&claim("exp", exp)), Err(rejected));
    assert!(verify_payload(claim("nbf", format!("{}.0", NOW + 60))).is_ok());
    let nbf = format!("{}.000001", NOW + 60);
    let rejected = Error::NotYetValid {
        nbf: micros(60_000_001),
        now: seconds(NOW),
        leeway: 60,
    };
    assert_eq!(verify_payload(claim("nbf", nbf)), Err(rejected));
    assert_eq!(expires(&claim("exp", "1.8e9")), Ok(Some(seconds(NOW))));
    assert_eq!(expires(&claim("exp", "18000000000e-1")), Ok(Some(seconds(NOW))));
}

#[test]
fn a_fraction_is_read_to_the_microsecond() {
    // Until 2106, as long as the nearest double and its product with 1e6 are nearer than half a microsecond.
    let times = (NOW..1_i64 << 32, 0..1_000_000_i64);
    check(0x5eed_0002, 20_000, &times, |(whole, micros)| {
        let claims = claim("exp", format!("{whole}.{micros:06}"));
        let expected = NumericDate::from_micros(whole * 1_000_000 + micros);
        let claims = pg_session_jwt_token::claims::Claims::parse(&claims).unwrap();
        assert_eq!(claims.expires, Some(expected), "{whole}.{micros:06}");
    });
}

/// attack: 49, 50
#[rstest]
fn a_date_is_a_number_of_seconds_until_9999(
    #[values(("exp", "Expiration"), ("nbf", "Not Before"), ("iat", "Issued At"))] date: (&'static str, &'static str),
    #[values(
        r#""1800003600""#,
        r#""""#,
        "true",
        "false",
        "null",
        "[]",
        "[1800003600]",
        "{}",
        "-0.5",
        "253402300800",
        "253402300799.5",
        "1800003600000",
        "9007199254740992",
        "9223372036854775808",
        "18446744073709551616",
        "1e308",
        "-1e308",
        "-9223372036854775808",
        "-253402300800",
        "1e12"
    )]
    value: &str,
) {
    let (claim, title) = date;
    let rejected = Err(Error::ClaimDate { claim, title });
    assert_eq!(verify_payload(self::claim(claim, value)), rejected);
}

/// attack: 50, 53
#[rstest]
fn a_token_does_not_expire_before_1970(#[values("-1", "-1800003600", "-62135596800")] value: &str) {
    let (claim, title) = ("exp", "Expiration");
    let rejected = Err(Error::ClaimDate { claim, title });
    assert_eq!(verify_payload(self::claim(claim, value)), rejected);
}

/// .NET writes DateTime.MinValue, -62135596800, for a date that is not set.
#[rstest]
fn a_date_in_the_past_may_be_before_1970(
    #[values("nbf", "iat")] claim: &str,
    #[values("-1", "-62135596800", "-253402300799")] value: &str,
) {
    assert!(verify_payload(self::claim(claim, value)).is_ok());
}

#[test]
fn a_date_may_be_in_9999() {
    assert_eq!(
        expires(&claim("exp", 253_402_300_799_i64)),
        Ok(Some(seconds(253_402_300_799)))
    );
    assert_eq!(
        expires(&claim("exp", "253402300799.0")),
        Ok(Some(seconds(253_402_300_799)))
    );
    assert_eq!(
        with_leeway(60, &claim("nbf", 253_402_300_799_i64)),
        Err(not_yet(253_402_300_799, 60))
    );
}

#[rstest]
fn a_date_may_be_in_1970(#[values("0", "0.0", "-0", "-0.0", "1e-400", "0e9")] zero: &str) {
    assert_eq!(expires(&claim("exp", zero)), Err(expired(0, 60)), "{zero}");
    assert!(verify_payload(claim("nbf", zero)).is_ok(), "{zero}");
}

/// attack: 50
#[rstest]
fn a_clock_at_its_end_neither_wraps_nor_panics(#[values(i64::MIN, -1, 0, i64::MAX)] micros: i64) {
    let now = NumericDate::from_micros(micros);
    let validity = Validity {
        now,
        leeway: u32::MAX,
        ..validity()
    };
    let token = ED25519.token("EdDSA", claim("exp", 253_402_300_799_i64));
    let outcome = verify(token.as_bytes(), &pinned(&ED25519), &validity);
    let exp = seconds(253_402_300_799);
    if micros == i64::MAX {
        assert_eq!(
            outcome,
            Err(Error::Expired {
                exp,
                now,
                leeway: u32::MAX
            })
        );
    } else {
        assert_eq!(outcome.unwrap().expires, Some(exp));
    }
    let token = ED25519.token("EdDSA", claim("nbf", 0));
    let outcome = verify(token.as_bytes(), &pinned(&ED25519), &Validity { leeway: 0, ..validity });
    if micros < 0 {
        assert_eq!(
            outcome,
            Err(Error::NotYetValid {
                nbf: seconds(0),
                now,
                leeway: 0
            })
        );
    } else {
        assert!(outcome.is_ok());
    }
}

#[rstest]
#[case(0, "0")]
#[case(1_800_000_000_000_000, "1800000000")]
#[case(1_800_000_000_500_000, "1800000000.500000")]
#[case(1, "0.000001")]
#[case(-1, "-0.000001")]
#[case(-1_500_000, "-1.500000")]
#[case(-2_000_000, "-2")]
#[case(i64::MAX, "9223372036854.775807")]
#[case(i64::MIN, "-9223372036854.775808")]
fn a_date_is_displayed_like_the_claim(#[case] micros: i64, #[case] shown: &str) {
    assert_eq!(NumericDate::from_micros(micros).to_string(), shown);
}
