//! The size of the numbers in a JSON text: a double and PostgreSQL's numeric can hold every accepted one.

/// The maximum number of characters of a number.
///
/// A double needs 309 digits at most, and RFC 8259 §6 recommends the range of a double. PostgreSQL's numeric holds 131072
/// digits before and 16383 after the point ("Numeric Types" in its documentation).
pub const MAX_NUMBER_CHARS: usize = 400;

/// The maximum decimal exponent of a number, positive or negative.
///
/// serde_json rejects a number that overflows a double, but reads 1e-999999 as 0. PostgreSQL's numeric rejects such a number,
/// and any number with a large exponent is as long as its exponent when it is printed.
pub const MAX_EXPONENT: u32 = 400;

/// Checks the digits of every number in a text that is known to be valid JSON.
///
/// The numbers are scanned a second time because serde_json returns them rounded. It would return their digits with its
/// feature `arbitrary_precision`, but that is global to the build and would change every other user of serde_json.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        match first {
            b'"' => rest = after_string(tail),
            b'-' | b'0'..=b'9' => {
                let end = rest
                    .iter()
                    .position(|byte| !matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
                let (number, tail) = rest.split_at(end.unwrap_or(rest.len()));
                check_number(number)?;
                rest = tail;
            }
            _ => rest = tail,
        }
    }
    Ok(())
}

/// Returns the rest of the text after a string whose opening quote is before `rest`.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match byte {
            b'"' => return tail,
            b'\\' => tail.split_first().map_or(tail, |(_, after)| after),
            _ => tail,
        };
    }
    rest
}

fn check_number(number: &[u8]) -> Result<(), String> {
    let exponent = number
        .iter()
        .position(|byte| byte.eq_ignore_ascii_case(&b'e'))
        .map_or(Ok(0), |at| {
            let digits = number
                .iter()
                .skip(at)
                .copied()
                .filter(u8::is_ascii_digit)
                .map(char::from)
                .collect::<String>();
            digits.parse::<u32>()
        });
    if number.len() <= MAX_NUMBER_CHARS && exponent.is_ok_and(|exponent| exponent <= MAX_EXPONENT) {
        Ok(())
    } else {
        Err(format!(
            "a number has more than {MAX_NUMBER_CHARS} characters or an exponent beyond {MAX_EXPONENT}"
        ))
    }
}
