//! The audit log: one line per token that was accepted or rejected, never per row, and never the token itself.

use serde_json::{Value, json};

use crate::error::Failure;
use crate::guc::values;
use crate::pg::ereport::sqlstate_text;
use crate::pg::log_guard;
#[cfg(any(feature = "pg18", feature = "pg19"))]
use crate::token::Excerpt;
use crate::token::compact::Compact;
use crate::token::{Error, json as strict};

/// The number of characters of one value in the line.
const MAX_CHARS: usize = 256;

/// Writes the line of a token if the log is on: it was accepted, or rejected because of `failure`.
pub fn log(token: &[u8], failure: Option<&Failure>) {
    if values::audit_log() {
        write(&line_of(token, failure));
    }
}

/// Like [`log`], but for the token of an OAuth login as `role`. The event of a valid token is `verified`, not `accepted`:
/// pg_ident.conf decides afterwards whether the user may have the role.
#[cfg(any(feature = "pg18", feature = "pg19"))]
pub fn log_login(token: &[u8], role: &Excerpt, failure: Option<&Failure>) {
    if values::audit_log() {
        let mut line = line_of(token, failure);
        line["login"] = json!(role.to_string());
        if failure.is_none() {
            line["event"] = json!("verified");
        }
        write(&line);
    }
}

fn write(line: &Value) {
    log_guard::audit(&line.to_string());
}

fn line_of(token: &[u8], failure: Option<&Failure>) -> Value {
    let mut line = json!({ "event": if failure.is_none() { "accepted" } else { "rejected" } });
    if let Some(failure) = failure {
        let report = failure.report();
        line["reason"] = json!(report.message);
        line["sqlstate"] = json!(sqlstate_text(report.sqlstate));
    }
    // An error only means that the rest of the token cannot be read.
    let _ = add_claims(token, &mut line);
    line
}

/// Adds the key id and some claims, as far as the token can be read. Those of a rejected token may be false.
fn add_claims(token: &[u8], line: &mut Value) -> Result<(), Error> {
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

/// Limits the length and escapes all but ASCII: control and bidirectional characters could forge or hide a line of the log.
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
