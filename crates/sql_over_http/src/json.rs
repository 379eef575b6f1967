//! Writes JSON: strings and numbers (RFC 8259).

/// Writes a string. Runs of characters that need no escape are copied as a whole.
pub fn string(into: &mut Vec<u8>, text: &str) {
    into.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (run, after) = rest.split_at(plain(rest));
        into.extend_from_slice(run);
        let Some((&byte, after)) = after.split_first() else {
            break;
        };
        escape(into, byte);
        rest = after;
    }
    into.push(b'"');
}

/// The bytes that [`string`] writes.
pub fn string_length(text: &str) -> usize {
    let longer = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + 2 + text.bytes().map(longer).sum::<usize>()
}

/// The number of bytes before the first one that needs an escape.
fn plain(bytes: &[u8]) -> usize {
    let mut length = 0;
    // Eight bytes at once: each term has the high bit of the first byte that is below the space, a quote or a backslash.
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (chunks, _) = bytes.as_chunks::<8>();
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = control | (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash);
        if found & (ONES * 0x80) != 0 {
            break;
        }
        length += 8;
    }
    let tail = bytes.get(length..).unwrap_or_default();
    length
        + tail
            .iter()
            .position(|&byte| matches!(byte, 0..0x20 | b'"' | b'\\'))
            .unwrap_or(tail.len())
}

fn escape(into: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
            into.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return;
        }
    };
    into.extend_from_slice(&[b'\\', short]);
}

/// Whether this is a number in JSON's grammar (RFC 8259, section 6).
pub fn is_number(text: &[u8]) -> bool {
    fn digits(text: &[u8]) -> Option<&[u8]> {
        let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 { None } else { text.get(length..) }
    }
    let whole = |text: &[u8]| -> Option<bool> {
        let text = text.strip_prefix(b"-").unwrap_or(text);
        let mut rest = match text {
            [b'0', rest @ ..] => rest,
            text => digits(text)?,
        };
        if let [b'.', fraction @ ..] = rest {
            rest = digits(fraction)?;
        }
        if let [b'e' | b'E', exponent @ ..] = rest {
            rest = digits(match exponent {
                [b'+' | b'-', exponent @ ..] => exponent,
                exponent => exponent,
            })?;
        }
        Some(rest.is_empty())
    };
    whole(text).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("", "\"\"")]
    #[case("eight by eight by", "\"eight by eight by\"")]
    #[case("a\"b\\c\n\r\t\u{0}\u{1f}\u{7f}", "\"a\\\"b\\\\c\\n\\r\\t\\u0000\\u001f\u{7f}\"")]
    #[case("1234567\"", "\"1234567\\\"\"")]
    #[case("\u{2028}\u{1f600}</script>", "\"\u{2028}\u{1f600}</script>\"")]
    fn strings(#[case] text: &str, #[case] json: &str) {
        let mut written = Vec::new();
        string(&mut written, text);
        assert_eq!(String::from_utf8(written).unwrap(), json);
    }

    #[rstest]
    #[case("0", true)]
    #[case("-0", true)]
    #[case("10", true)]
    #[case("1.5e+300", true)]
    #[case("1e-07", true)]
    #[case("", false)]
    #[case("-", false)]
    #[case("01", false)]
    #[case(".5", false)]
    #[case("5.", false)]
    #[case("+1", false)]
    #[case("1e", false)]
    #[case("1 ", false)]
    #[case("NaN", false)]
    #[case("-Infinity", false)]
    #[case("0x10", false)]
    fn numbers(#[case] text: &str, #[case] number: bool) {
        assert_eq!(is_number(text.as_bytes()), number);
    }

    proptest! {
        #[test]
        fn any_string_is_read_as_it_was(text in ".{0,40}|[\\x00-\\x7f]{0,40}") {
            let mut written = Vec::new();
            string(&mut written, &text);
            prop_assert_eq!(written.len(), string_length(&text));
            prop_assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text);
        }

        #[test]
        fn numbers_are_those_of_serde_json(text in "[-+0-9.eE]{0,8}") {
            // A number that is too large for f64 is an error of serde_json, and a number.
            let by_serde = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(is_number(text.as_bytes()), by_serde);
        }
    }
}
