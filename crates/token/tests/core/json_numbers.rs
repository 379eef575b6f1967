//! Numbers: as RFC 8259 §6 writes them, of a size that a double and PostgreSQL's numeric hold, and never rewritten.

use pg_session_jwt_token::json::{self, Json};
use pg_session_jwt_token::{Error, Part};
use rstest::rstest;

use crate::sign::verify_payload;

const BEYOND: &str = "a number has more than 400 characters or an exponent beyond 400";

/// attack: 25
#[rstest]
fn a_claim_keeps_its_digits_as_signed(
    #[values(
        "12345678901234567890123",
        "1.10",
        "-0.0",
        "-0",
        "1e3",
        "1E+3",
        "0.1e-7",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "0.30000000000000004",
        "123456789.123456789123456789",
        "1e308",
        "4.9e-324"
    )]
    number: &str,
) {
    let payload = format!(r#"{{"n":{number},"list":[{number}, {number}]}}"#);
    assert_eq!(verify_payload(&payload).unwrap().claims, payload);
}

#[rstest]
#[case("0", 0)]
#[case("-1", -1)]
#[case("9223372036854775807", i64::MAX)]
#[case("-9223372036854775808", i64::MIN)]
fn a_64_bit_integer_is_read_as_integer(#[case] text: &str, #[case] integer: i64) {
    assert_eq!(json::parse(text), Ok(Json::Integer(integer)), "{text}");
}

#[rstest]
#[case("5.0", 5.0)]
#[case("5e0", 5.0)]
#[case("-0", -0.0)]
#[case("9223372036854775808", 9223372036854775808.0)]
#[case("18446744073709551615", 18446744073709551615.0)]
#[case("18446744073709551616", 18446744073709551616.0)]
#[case("-9223372036854775809", -9223372036854775809.0)]
#[case("1e308", 1e308)]
fn any_other_number_is_read_as_double(#[case] text: &str, #[case] number: f64) {
    assert_eq!(json::parse(text), Ok(Json::Number(number)), "{text}");
}

#[rstest]
fn an_exponent_up_to_400_is_accepted(
    #[values(
        "1e-400",
        "0e400",
        "0.0E+400",
        "0e-400",
        "1e-0000400",
        "0e+0000000000400",
        "1e0",
        "-1e-399"
    )]
    number: &str,
) {
    assert!(json::parse(number).is_ok(), "{number}");
}

/// attack: 24
#[rstest]
fn an_exponent_beyond_400_is_rejected(
    #[values(
        "1e-401",
        "0e401",
        "0e-401",
        "1e-400000",
        "0e1000000000",
        "1e-1000000000",
        "0e99999999999999999999"
    )]
    number: &str,
) {
    assert_eq!(json::parse(number), Err(BEYOND.to_owned()), "{number}");
}

#[rstest]
fn a_number_beyond_a_double_is_rejected(
    #[values("1e309", "1e400", "-1e400", "1e400000", "1e1000000000", "2e308")] number: &str,
) {
    // serde_json rejects it, with its own text.
    assert!(json::parse(number).is_err_and(|problem| problem != BEYOND));
}

/// attack: 24
#[test]
fn a_number_has_at_most_400_characters() {
    let fraction = |characters: usize| format!("0.{}", "1".repeat(characters - 2));
    assert_eq!(json::parse(&fraction(400)), Ok(Json::Number(0.111_111_111_111_111_1)));
    assert_eq!(json::parse(&fraction(401)), Err(BEYOND.to_owned()));
    assert_eq!(json::parse(&fraction(60_000)), Err(BEYOND.to_owned()));
    assert_eq!(json::parse(&format!("-{}", fraction(400))), Err(BEYOND.to_owned()));
    assert!(json::parse(&"9".repeat(308)).is_ok());
    assert!(json::parse(&"9".repeat(310)).is_err_and(|problem| problem != BEYOND));
    let exponent = |characters: usize| format!("1e{}1", "0".repeat(characters - 3));
    assert_eq!(json::parse(&exponent(400)), Ok(Json::Number(10.0)));
    assert_eq!(json::parse(&exponent(401)), Err(BEYOND.to_owned()));
}

#[test]
fn a_number_is_found_wherever_it_stands() {
    let long = format!("0.{}", "1".repeat(399));
    for text in [
        format!(r#"{{"a":{long}}}"#),
        format!("[{long}]"),
        format!("[1,{long},2]"),
        format!("[\"\\\"\",{long}]"),
        format!(r#"{{"a\\":{long}}}"#),
        format!(r#"[{{"a":[0.5, -{long}]}}]"#),
        format!("\r\n\t {long} \r\n"),
    ] {
        assert_eq!(json::parse(&text), Err(BEYOND.to_owned()), "{text}");
    }
    let problem = BEYOND.to_owned();
    assert_eq!(
        verify_payload(format!(r#"{{"n":{long}}}"#)),
        Err(Error::NotJson {
            part: Part::Payload,
            problem
        })
    );
}

#[test]
fn digits_in_a_string_are_no_number() {
    let long = "1".repeat(2_000);
    for text in [
        format!(r#"{{"{long}":"{long}"}}"#),
        format!(r#"["\"{long}"]"#),
        format!(r#"["\\","{long}"]"#),
        r#"["1e999999","\\\"1e-999999"]"#.to_owned(),
        format!(r#"["\u0031{long}"]"#),
    ] {
        assert!(json::parse(&text).is_ok(), "{text}");
    }
}

#[rstest]
fn a_number_that_json_does_not_define_is_rejected(
    #[values(
        "01",
        "-01",
        "00",
        "+1",
        ".5",
        "5.",
        "1.e5",
        "1e",
        "1e+",
        "--1",
        "-",
        "0x10",
        "1_000",
        "1,000",
        "1e5.5",
        "1 2",
        "NaN",
        "inf",
        "-Infinity",
        "\u{661}",
        "\u{ff11}"
    )]
    number: &str,
) {
    assert!(json::parse(number).is_err(), "{number}");
    assert!(json::parse(&format!(r#"{{"n":{number}}}"#)).is_err(), "{number}");
}
