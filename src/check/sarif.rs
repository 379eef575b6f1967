//! The findings as a log in SARIF 2.1.0 (Static Analysis Results Interchange Format), which code hosts show.

use aws_lc_rs::digest;
use serde_json::{Value, json};

use crate::check::catalog_query::FindingRow;
use crate::check::finding::{Finding, Severity};
use crate::pg::encoding;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const PAGE: &str = "https://github.com/neondatabase/pg_session_jwt/blob/main/docs/check.md";

/// The log. Code hosts show a result at a line of a file: all are at the first line of `file`.
pub fn log(rows: &[FindingRow], file: &[u8], with_allowed: bool) -> Value {
    let shown = rows.iter().filter(|row| with_allowed || row.allowed_because.is_none());
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "pg_session_jwt",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": PAGE,
                "rules": Finding::ALL.iter().map(|finding| rule(*finding)).collect::<Vec<Value>>(),
            }},
            "results": shown.map(|row| result(row, &uri(&text(file)))).collect::<Vec<Value>>(),
        }],
    })
}

fn rule(finding: Finding) -> Value {
    let words = finding.name().replace('_', " ");
    json!({
        "id": finding.name(),
        "shortDescription": {"text": words},
        "fullDescription": {"text": format!("A finding of auth.check(): {words}.")},
        "help": {"text": format!("{PAGE} describes this finding.")},
        "helpUri": PAGE,
        "defaultConfiguration": {"level": level(finding.severity())},
        "properties": {"tags": ["security"], "security-severity": score(finding.severity())},
    })
}

fn result(row: &FindingRow, uri: &str) -> Value {
    let object = text(&row.object);
    let mut result = json!({
        "ruleId": row.finding.name(),
        "ruleIndex": Finding::ALL.iter().position(|finding| *finding == row.finding),
        "level": level(row.finding.severity()),
        "message": {"text": format!("{object}: {}\n\nRemedy:\n{}", text(&row.problem), text(&row.remedy))},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
            "logicalLocations": [{"fullyQualifiedName": object, "kind": "resource"}],
        }],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint(row)},
        "occurrenceCount": row.count,
    });
    if let Some(reason) = &row.allowed_because {
        result["suppressions"] = json!([{"kind": "inSource", "status": "accepted", "justification": text(reason)}]);
    }
    result
}

/// Tells the results apart, which are all at one line. It stays the same while finding and object do.
fn fingerprint(row: &FindingRow) -> String {
    let named = [row.finding.name().as_bytes(), b"\0", &row.object].concat();
    let digest = digest::digest(&digest::SHA256, &named);
    let hash: String = digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hash}:1")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "error",
        Severity::Warning => "warning",
        Severity::Notice | Severity::Allowed => "note",
    }
}

/// A score from 0 to 10, by which code hosts sort.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.0",
        Severity::Warning => "6.0",
        Severity::Notice | Severity::Allowed => "2.0",
    }
}

/// A path as a relative URI (RFC 3986): all bytes are escaped that are not a part of one.
fn uri(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let escaped = |byte| match is_plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    path.bytes().map(escaped).collect()
}

/// A text of the database. Where its encoding is not known, only ASCII remains.
fn text(text: &[u8]) -> String {
    match encoding::from_server(text) {
        Some(text) => text.into_owned(),
        None => text
            .iter()
            .map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' })
            .collect(),
    }
}
