//! RFC 7519 §4.1.4-4.1.6 and §2 (NumericDate): exp, nbf and iat against the caller's clock.

use pg_session_jwt_token::claims::NumericDate;
use pg_session_jwt_token::{Error, Identity, Policy, verify};
use testkit::cases::check;

use crate::sign::{ED25519, NOW, judge_payload, pinned, policy, seconds};

/// The verdict on these claims with this leeway.
fn with_leeway(leeway: u32, claims: &str) -> Result<Identity, Error> {
    let policy = Policy { leeway, ..policy() };
    verify(ED25519.token("EdDSA", claims).as_bytes(), &pinned(&ED25519), &policy)
}

fn claim(name: &str, value: impl std::fmt::Display) -> String {
    format!(r#"{{"{name}":{value}}}"#)
}

fn expires(claims: &str) -> Result<Option<NumericDate>, Error> {
    judge_payload(claims).map(|identity| identity.expires)
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

/// attack: 51
#[test]
fn exp_on_the_second_of_now_plus_leeway_is_refused() {
    for (age, leeway) in [(59, 60), (-1, 0), (299, 300), (-1_000_000, 60)] {
        let identity = with_leeway(leeway, &claim("exp", NOW - age)).unwrap();
        assert_eq!(identity.expires, Some(seconds(NOW - age)), "{age} {leeway}");
    }
    for (age, leeway) in [(60, 60), (61, 60), (0, 0), (1, 0), (59, 0), (300, 300), (NOW, 60)] {
        assert_eq!(
            with_leeway(leeway, &claim("exp", NOW - age)),
            Err(expired(NOW - age, leeway)),
            "{age} {leeway}"
        );
    }
}

/// attack: 53
#[test]
fn nbf_may_be_ahead_by_the_leeway_and_no_more() {
    for (ahead, leeway) in [(60, 60), (59, 60), (0, 0), (-1, 0), (300, 300), (-NOW, 60)] {
        assert!(
            with_leeway(leeway, &claim("nbf", NOW + ahead)).is_ok(),
            "{ahead} {leeway}"
        );
    }
    for (ahead, leeway) in [(61, 60), (1, 0), (301, 300), (1_000_000, 60)] {
        assert_eq!(
            with_leeway(leeway, &claim("nbf", NOW + ahead)),
            Err(not_yet(NOW + ahead, leeway)),
            "{ahead} {leeway}"
        );
    }
}

/// attack: 53
#[test]
fn iat_may_lie_anywhere() {
    for iat in [0, NOW - 1_000_000, NOW, NOW + 1_000_000, 253_402_300_799] {
        assert!(judge_payload(claim("iat", iat)).is_ok(), "{iat}");
    }
}

#[test]
fn fractions_of_a_second_count() {
    let micros = |micros: i64| NumericDate::from_micros(NOW * 1_000_000 + micros);
    let exp = format!("{}.000001", NOW - 60);
    assert_eq!(expires(&claim("exp", exp)), Ok(Some(micros(-59_999_999))));
    let exp = format!("{}.999999", NOW - 61);
    let refused = Error::Expired {
        exp: micros(-60_000_001),
        now: seconds(NOW),
        leeway: 60,
    };
    assert_eq!(expires(&claim("exp", exp)), Err(refused));
    assert!(judge_payload(claim("nbf", format!("{}.0", NOW + 60))).is_ok());
    let nbf = format!("{}.000001", NOW + 60);
    let refused = Error::NotYetValid {
        nbf: micros(60_000_001),
        now: seconds(NOW),
        leeway: 60,
    };
    assert_eq!(judge_payload(claim("nbf", nbf)), Err(refused));
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
#[test]
fn what_is_no_number_of_seconds_until_year_9999_is_refused() {
    let dates = [("exp", "Expiration"), ("nbf", "Not Before"), ("iat", "Issued At")];
    let past_2e63 = "9223372036854775808";
    for (name, title) in dates {
        for value in [
            r#""1800003600""#,
            r#""""#,
            "true",
            "false",
            "null",
            "[]",
            "[1800003600]",
            "{}",
            "-1",
            "-0.5",
            "-1800003600",
            "253402300800",
            "253402300799.5",
            "1800003600000",
            "9007199254740992",
            past_2e63,
            "18446744073709551616",
            "1e308",
            "-1e308",
            "-9223372036854775808",
            "1e12",
        ] {
            let refused = Err(Error::ClaimDate { claim: name, title });
            assert_eq!(judge_payload(claim(name, value)), refused, "{name} {value}");
        }
    }
}

#[test]
fn the_bounds_of_a_date_are_1970_and_9999() {
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
    for zero in ["0", "0.0", "-0", "-0.0", "1e-400", "0e9"] {
        assert_eq!(expires(&claim("exp", zero)), Err(expired(0, 60)), "{zero}");
        assert!(judge_payload(claim("nbf", zero)).is_ok(), "{zero}");
    }
}

/// attack: 50
#[test]
fn a_clock_at_its_end_neither_wraps_nor_panics() {
    for micros in [i64::MIN, -1, 0, i64::MAX] {
        let now = NumericDate::from_micros(micros);
        let policy = Policy {
            now,
            leeway: u32::MAX,
            ..policy()
        };
        let token = ED25519.token("EdDSA", claim("exp", 253_402_300_799_i64));
        let verdict = verify(token.as_bytes(), &pinned(&ED25519), &policy);
        let exp = seconds(253_402_300_799);
        if micros == i64::MAX {
            assert_eq!(
                verdict,
                Err(Error::Expired {
                    exp,
                    now,
                    leeway: u32::MAX
                })
            );
        } else {
            assert_eq!(verdict.unwrap().expires, Some(exp));
        }
        let token = ED25519.token("EdDSA", claim("nbf", 0));
        let verdict = verify(token.as_bytes(), &pinned(&ED25519), &Policy { leeway: 0, ..policy });
        if micros < 0 {
            assert_eq!(
                verdict,
                Err(Error::NotYetValid {
                    nbf: seconds(0),
                    now,
                    leeway: 0
                })
            );
        } else {
            assert!(verdict.is_ok());
        }
    }
}

#[test]
fn a_date_is_shown_as_the_claim_has_it() {
    let cases = [
        (0, "0"),
        (1_800_000_000_000_000, "1800000000"),
        (1_800_000_000_500_000, "1800000000.500000"),
        (1, "0.000001"),
        (-1, "-0.000001"),
        (-1_500_000, "-1.500000"),
        (-2_000_000, "-2"),
        (i64::MAX, "9223372036854.775807"),
        (i64::MIN, "-9223372036854.775808"),
    ];
    for (micros, shown) in cases {
        assert_eq!(NumericDate::from_micros(micros).to_string(), shown);
    }
}
