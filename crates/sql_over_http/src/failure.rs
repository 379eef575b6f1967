//! What a client gets instead of a result: an HTTP status, and an error as PostgreSQL describes one.
//!
//! The driver reads the fields of an error from a response with status 400 only. So every failure that a program may
//! want to tell apart has that status, including those that the gateway itself finds.

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::ErrorResponseBody;
use serde::Serialize;

/// SQLSTATEs of failures that the gateway itself finds (PostgreSQL, appendix A).
pub mod sqlstate {
    pub const CONNECTION_FAILURE: &str = "08006";
    pub const UNABLE_TO_CONNECT: &str = "08001";
    pub const PROTOCOL_VIOLATION: &str = "08P01";
    pub const FEATURE_NOT_SUPPORTED: &str = "0A000";
    pub const INVALID_TRANSACTION_TERMINATION: &str = "2D000";
    pub const INVALID_AUTHORIZATION: &str = "28000";
    pub const INVALID_PASSWORD: &str = "28P01";
    pub const INVALID_PARAMETER: &str = "22023";
    pub const INVALID_JSON: &str = "22032";
    pub const UNTRANSLATABLE_CHARACTER: &str = "22P05";
    pub const INVALID_CATALOG_NAME: &str = "3D000";
    pub const INSUFFICIENT_RESOURCES: &str = "53000";
    pub const OUT_OF_MEMORY: &str = "53200";
    pub const TOO_MANY_CONNECTIONS: &str = "53300";
    pub const PROGRAM_LIMIT_EXCEEDED: &str = "54000";
    pub const NOT_IN_PREREQUISITE_STATE: &str = "55000";
    pub const QUERY_CANCELED: &str = "57014";
    pub const ADMIN_SHUTDOWN: &str = "57P01";
    pub const CANNOT_CONNECT_NOW: &str = "57P03";
}

/// What is kept of a field of an error.
const LONGEST_FIELD: usize = 16 * 1024;

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status.
    pub status: u16,
    /// In a box, since every result has room for a failure.
    pub fields: Box<Fields>,
}

/// The members of the driver's `NeonDbError`. Those without a value are `null`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fields {
    pub message: String,
    pub severity: Option<String>,
    /// The SQLSTATE.
    pub code: Option<String>,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub position: Option<String>,
    pub internal_position: Option<String>,
    pub internal_query: Option<String>,
    pub r#where: Option<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub data_type: Option<String>,
    pub constraint: Option<String>,
    pub file: Option<String>,
    pub line: Option<String>,
    pub routine: Option<String>,
    /// The place of the failed statement in a batch, from 0. The driver ignores it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_index: Option<usize>,
}

impl Failure {
    /// A failure that the gateway itself finds, with status 400.
    pub fn new(code: &str, message: impl Into<String>) -> Failure {
        Failure::with_status(400, code, message)
    }

    pub fn with_status(status: u16, code: &str, message: impl Into<String>) -> Failure {
        let fields = Fields {
            message: message.into(),
            severity: Some("ERROR".to_owned()),
            code: Some(code.to_owned()),
            ..Fields::default()
        };
        Failure {
            status,
            fields: Box::new(fields),
        }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.fields.hint = Some(hint.into());
        self
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Failure {
        self.fields.detail = Some(detail.into());
        self
    }

    /// An error of PostgreSQL. A text that is not UTF-8 loses the bytes that are not. A long one loses its end: anyone can raise
    /// an error of any length, which no other limit concerns.
    pub fn of_server(error: &ErrorResponseBody) -> Failure {
        let mut fields = Fields::default();
        let mut given = error.fields();
        while let Ok(Some(field)) = given.next() {
            let bytes = field.value_bytes();
            let value = String::from_utf8_lossy(bytes.get(..LONGEST_FIELD).unwrap_or(bytes)).into_owned();
            let member = match field.type_() {
                b'M' => {
                    fields.message = value;
                    continue;
                }
                // `V` is the severity that no language setting translates; `S`, which precedes it, is what clients show.
                b'S' => &mut fields.severity,
                b'C' => &mut fields.code,
                b'D' => &mut fields.detail,
                b'H' => &mut fields.hint,
                b'P' => &mut fields.position,
                b'p' => &mut fields.internal_position,
                b'q' => &mut fields.internal_query,
                b'W' => &mut fields.r#where,
                b's' => &mut fields.schema,
                b't' => &mut fields.table,
                b'c' => &mut fields.column,
                b'd' => &mut fields.data_type,
                b'n' => &mut fields.constraint,
                b'F' => &mut fields.file,
                b'L' => &mut fields.line,
                b'R' => &mut fields.routine,
                _ => continue,
            };
            *member = Some(value);
        }
        Failure {
            status: 400,
            fields: Box::new(fields),
        }
    }

    /// The body of the response.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.fields).unwrap_or_default()
    }

    pub fn code(&self) -> &str {
        self.fields.code.as_deref().unwrap_or_default()
    }
}
