//! `unescape_non_ascii`: the same JSON, with its non-ASCII characters written out.

use std::borrow::Cow;

use pg_session_jwt_token::json::{parse, unescape_non_ascii};
use rstest::rstest;
use testkit::cases::check;

use crate::random::json;

#[rstest]
#[case(r#""\u00e4lice""#, "\"älice\"")]
#[case(r#""\u00E4\u20AC""#, "\"ä€\"")]
#[case(r#""\u0080\u07ff\u0800\uffff""#, "\"\u{80}\u{7ff}\u{800}\u{ffff}\"")]
#[case(r#""\ud83d\ude00""#, "\"😀\"")]
#[case(r#""\uD834\uDD1E\udbff\uDFFF""#, "\"\u{1d11e}\u{10ffff}\"")]
#[case(r#"{"\u00e4":["\u00e4"],"b":1}"#, "{\"ä\":[\"ä\"],\"b\":1}")]
#[case(r#""\\\u00e4""#, "\"\\\\ä\"")]
#[case(r#""ä\u00e4ä""#, "\"äää\"")]
fn escapes_of_non_ascii_characters_are_written_out(#[case] text: &str, #[case] unescaped: &str) {
    assert_eq!(unescape_non_ascii(text), unescaped, "{text}");
}

#[rstest]
fn everything_else_is_unchanged(
    #[values(
        r#""""#,
        r#""alice""#,
        r#""\u0041\u007f\u0022\u005c\u001f""#,
        r#""\\u00e4""#,
        r#""\\\\u00e4""#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""\u005cu00e4""#,
        r#""ä€😀""#,
        "[]",
        "12",
        r#""u00e4""#,
        r#""\\ud83d\\ude00""#
    )]
    text: &str,
) {
    assert_eq!(unescape_non_ascii(text), text);
}

#[test]
fn a_text_without_such_escapes_is_borrowed() {
    assert!(matches!(unescape_non_ascii(r#"{"sub":"a\n"}"#), Cow::Borrowed(_)));
}

#[test]
fn the_result_is_the_same_json_without_such_escapes() {
    let mut changed = 0;
    check(0x5eed_0001, 5_000, &json(3), |text| {
        let Ok(tree) = parse(&text) else { return };
        let unescaped = unescape_non_ascii(&text);
        assert_eq!(parse(&unescaped), Ok(tree), "{text}");
        assert_eq!(unescape_non_ascii(&unescaped), unescaped, "{text}");
        changed += usize::from(unescaped != text);
    });
    assert!(changed > 500, "only {changed} of the texts had something to write out");
}
