//! The audit log: one line for each identity taken on or refused, never per row, never the token.

use serde_json::{Value, json};

use crate::error::Failure;
use crate::guc::values;
use crate::pg::log_guard;
#[cfg(feature = "pg18")]
use crate::token::Excerpt;
use crate::token::compact::Compact;
use crate::token::{Error, json as strict};

/// Characters of one value in the line.
const MAX_CHARS: usize = 256;

/// Logs the verdict on a token, which was accepted or refused for a reason, if the log is on.
pub fn log(token: &[u8], refused: Option<&Failure>) {
    if values::audit_log() {
        write(&line_of(token, refused));
    }
}

/// The same for a token that asked to be let in as a role. One that is good is called verified and not accepted: whether
/// its bearer may be the role is then asked of pg_ident.conf, after this.
#[cfg(feature = "pg18")]
pub fn log_login(token: &[u8], role: &Excerpt, refused: Option<&Failure>) {
    if values::audit_log() {
        let mut line = line_of(token, refused);
        line["login"] = json!(role.to_string());
        if refused.is_none() {
            line["event"] = json!("verified");
        }
        write(&line);
    }
}

fn write(line: &Value) {
    log_guard::audit(&line.to_string());
}

fn line_of(token: &[u8], refused: Option<&Failure>) -> Value {
    let mut line = json!({ "event": if refused.is_none() { "accepted" } else { "refused" } });
    if let Some(failure) = refused {
        let report = failure.report();
        line["reason"] = json!(report.message);
        line["sqlstate"] = json!(unpack(report.sqlstate as i32));
    }
    // Of a refused token this is what it claims, not what is true; the event says which.
    let _ = describe(token, &mut line);
    line
}

/// The names in a token, however far it can be read.
fn describe(token: &[u8], line: &mut Value) -> Result<(), Error> {
    let token = Compact::parse(token)?;
    if let Some(kid) = token.header()?.kid {
        line["kid"] = json!(cut(&kid));
    }
    let payload = token.payload()?;
    let Ok(claims) = strict::parse_object(&payload) else {
        return Ok(());
    };
    for name in ["iss", "sub", "aud", "jti"] {
        match claims.get(name) {
            Some(strict::Json::String(text)) => line[name] = json!(cut(text)),
            Some(strict::Json::Integer(number)) => line[name] = json!(number),
            Some(strict::Json::Array(list)) => {
                let texts = list.iter().filter_map(strict::Json::as_str);
                line[name] = json!(texts.take(10).map(cut).collect::<Vec<_>>());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Cut, and plain ASCII: control and bidirectional characters could forge or hide a line of the log.
fn cut(text: &str) -> String {
    text.chars()
        .take(MAX_CHARS)
        .flat_map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                vec![c]
            } else {
                c.escape_unicode().collect()
            }
        })
        .collect()
}

/// The five characters of an SQLSTATE (PostgreSQL, `src/include/utils/elog.h`, MAKE_SQLSTATE).
fn unpack(code: i32) -> String {
    (0..5)
        .map(|place| char::from(b'0' + u8::try_from(code >> (6 * place) & 0x3F).unwrap_or(0)))
        .collect()
}
