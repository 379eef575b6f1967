//! The reports of `pg_session_jwt.identity_scope`.

use pgrx::prelude::*;

use crate::guc::names;
use crate::pg::ereport::Report;

pub(super) fn outlasts_transaction() -> Report {
    report(
        "identity must end with its transaction",
        "Call auth.jwt_session_init(token, true) or use SET LOCAL pg_session_jwt.jwt in a transaction block.",
    )
}

pub(super) fn unknown_lifetime() -> Report {
    report(
        "parallel worker does not know when the identity of its session ends",
        "Call auth.user_id() in the session before its first parallel query.",
    )
}

fn report(message: &str, hint: &'static str) -> Report {
    Report {
        sqlstate: PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        message: message.to_owned(),
        detail: Some(format!(
            "\"{}\" is \"transaction\".",
            names::text(names::IDENTITY_SCOPE)
        )),
        hint: Some(hint.into()),
    }
}
