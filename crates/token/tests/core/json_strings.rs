//! Strings that PostgreSQL's text and jsonb can hold: UTF-8, no lone surrogates, no NUL.

use pg_session_jwt_token::Part;
use rstest::rstest;

use crate::sign::{is_not_json, payload_problem, verify_payload};

/// attack: 21
#[rstest]
#[case(r#"{"sub":"alice\u0000admin"}"#)]
#[case(r#"{"sub":"\u0000"}"#)]
#[case(r#"{"sub\u0000":"alice"}"#)]
#[case(r#"{"a":[{"b":["\u0000"]}]}"#)]
fn an_escaped_nul_is_rejected_in_names_and_values(#[case] payload: &str) {
    assert_eq!(payload_problem(payload), "a string contains U+0000");
}

/// attack: 21
#[rstest]
fn nul_is_rejected_in_names_and_values(
    #[values(
        "{\"sub\":\"alice\0\"}",
        "{\"sub\":\"alice\\n\0\"}",
        "{\"sub\0\":\"alice\"}",
        "{\"a\":[{\"b\":[\"\0\"]}]}",
        "{\"sub\":\"alice\"}\0",
        "\0{\"sub\":\"alice\"}"
    )]
    payload: &str,
) {
    assert!(is_not_json(verify_payload(payload).err(), Part::Payload));
}

#[test]
fn an_escaped_backslash_before_u0000_is_no_nul() {
    // Six characters that only look like it.
    let escaped = r#"{"sub":"\\u0000"}"#;
    assert_eq!(verify_payload(escaped).unwrap().user_id.as_deref(), Some(r"\u0000"));
}

/// attack: 22
#[rstest]
fn lone_surrogates_are_rejected(
    #[values(
        r"\ud834",
        r"\udd1e",
        r"\ud834x",
        r"\ud834\n",
        r"\ud834\ud834",
        r"\udd1e\ud834",
        r"a\ud834 \udd1e"
    )]
    value: &str,
) {
    for payload in [format!(r#"{{"sub":"{value}"}}"#), format!(r#"{{"{value}":1}}"#)] {
        assert!(is_not_json(verify_payload(&payload).err(), Part::Payload), "{payload}");
    }
}

#[test]
fn a_surrogate_pair_is_one_character() {
    let pair = r#"{"sub":"\ud834\udd1e"}"#;
    assert_eq!(verify_payload(pair).unwrap().user_id.as_deref(), Some("\u{1d11e}"));
}

/// attack: 20
#[rstest]
fn a_payload_must_be_utf8(
    #[values(
        b"{\"sub\":\"\xFF\"}",
        b"{\"sub\":\"\xC0\x80\"}",
        b"{\"sub\":\"\xC1\xA1\"}",
        b"{\"sub\":\"\xED\xA0\xB4\"}",
        b"{\"sub\":\"\xF4\x90\x80\x80\"}",
        b"{\"sub\":\"\xE4\"}",
        b"{\"s\xE4\":1}",
        b"{}\x80"
    )]
    payload: &[u8],
) {
    assert_eq!(payload_problem(payload), "it is not UTF-8", "{payload:?}");
}

#[test]
fn a_payload_in_utf_16_is_rejected() {
    let utf_16: Vec<u8> = "\u{feff}{\"sub\":\"a\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(payload_problem(utf_16), "it is not UTF-8");
    let utf_16: Vec<u8> = r#"{"sub":"a"}"#.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert!(is_not_json(verify_payload(utf_16).err(), Part::Payload));
}
