//! Strings that PostgreSQL's text and jsonb can hold: UTF-8, no lone surrogates, no NUL.

use crate::sign::{judge_payload, payload_problem};

/// attack: 21
#[test]
fn nul_is_refused_in_names_and_values() {
    let cases = [
        (
            r#"{"sub":"alice\u0000admin"}"#,
            "a string holds U+0000 at line 1 column 25",
        ),
        (r#"{"sub":"\u0000"}"#, "a string holds U+0000 at line 1 column 15"),
        (r#"{"sub\u0000":"alice"}"#, "a string holds U+0000 at line 1 column 12"),
        (
            r#"{"a":[{"b":["\u0000"]}]}"#,
            "a string holds U+0000 at line 1 column 20",
        ),
        (
            "{\"sub\":\"alice\0\"}",
            "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 14",
        ),
        ("{\"sub\":\"alice\"}\0", "trailing characters at line 1 column 16"),
        ("\0{\"sub\":\"alice\"}", "expected value at line 1 column 1"),
    ];
    for (payload, problem) in cases {
        assert_eq!(payload_problem(payload), problem, "{payload}");
    }
    // Six characters that only look like it.
    let escaped = r#"{"sub":"\\u0000"}"#;
    assert_eq!(judge_payload(escaped).unwrap().user_id.as_deref(), Some(r"\u0000"));
}

/// attack: 22
#[test]
fn lone_surrogates_are_refused() {
    for value in [
        r"\ud834",
        r"\udd1e",
        r"\ud834x",
        r"\ud834\n",
        r"\ud834\ud834",
        r"\udd1e\ud834",
        r"a\ud834 \udd1e",
    ] {
        for payload in [format!(r#"{{"sub":"{value}"}}"#), format!(r#"{{"{value}":1}}"#)] {
            assert!(
                payload_problem(&payload).contains("hex escape"),
                "{payload}: {}",
                payload_problem(&payload)
            );
        }
    }
    let pair = r#"{"sub":"\ud834\udd1e"}"#;
    assert_eq!(judge_payload(pair).unwrap().user_id.as_deref(), Some("\u{1d11e}"));
}

/// attack: 20
#[test]
fn what_is_not_utf8_is_refused() {
    let texts: [&[u8]; 8] = [
        b"{\"sub\":\"\xFF\"}",
        b"{\"sub\":\"\xC0\x80\"}",
        b"{\"sub\":\"\xC1\xA1\"}",
        b"{\"sub\":\"\xED\xA0\xB4\"}",
        b"{\"sub\":\"\xF4\x90\x80\x80\"}",
        b"{\"sub\":\"\xE4\"}",
        b"{\"s\xE4\":1}",
        b"{}\x80",
    ];
    for payload in texts {
        assert_eq!(payload_problem(payload), "it is not UTF-8", "{payload:?}");
    }
    let utf_16: Vec<u8> = "\u{feff}{\"sub\":\"a\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(payload_problem(utf_16), "it is not UTF-8");
    let utf_16: Vec<u8> = r#"{"sub":"a"}"#.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(payload_problem(utf_16), "expected value at line 1 column 1");
}
