//! `auth.activity()`: the connections of the server that have an identity.

#![forbid(unsafe_code)]

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;

use crate::error::Failure;
use crate::identity::activity;
use crate::pg::catalog;
use crate::pg::clock::timestamp;
use crate::pg::sql_types::{Name, Text, name, text_from_utf8};

#[pg_schema]
mod auth {
    use pgrx::datum::TimestampWithTimeZone;
    use pgrx::prelude::*;

    use super::rows;
    use crate::pg::sql_types::{Name, Text};

    /// The connections of the server that have an identity.
    #[pg_extern(volatile, parallel_restricted)]
    #[expect(clippy::type_complexity, reason = "pgrx reads the columns from the type")]
    fn activity() -> TableIterator<
        'static,
        (
            name!(pid, i32),
            name!(database, Option<Name>),
            name!(role, Option<Name>),
            name!(mode, &'static str),
            name!(issuer, Option<Text>),
            name!(user_id, Option<Text>),
            name!(kid, Option<Text>),
            name!(since, Option<TimestampWithTimeZone>),
            name!(expires_at, Option<TimestampWithTimeZone>),
            name!(scope, &'static str),
        ),
    > {
        let rows = rows().unwrap_or_else(|failure| failure.raise());
        TableIterator::new(rows.into_iter().map(|row| {
            (
                row.pid,
                row.database,
                row.role,
                row.mode,
                row.issuer,
                row.user_id,
                row.kid,
                row.since,
                row.expires_at,
                row.scope,
            )
        }))
    }
}

/// A row of `auth.activity()`.
struct ActivityRow {
    pid: i32,
    database: Option<Name>,
    role: Option<Name>,
    mode: &'static str,
    issuer: Option<Text>,
    user_id: Option<Text>,
    kid: Option<Text>,
    since: Option<TimestampWithTimeZone>,
    expires_at: Option<TimestampWithTimeZone>,
    scope: &'static str,
}

/// The rows, in no order.
///
/// # Errors
/// [`Failure::NotPreloaded`]
fn rows() -> Result<Vec<ActivityRow>, Failure> {
    let rows = activity::rows().ok_or(Failure::NotPreloaded)?;
    Ok(rows.into_iter().map(ActivityRow::from).collect())
}

impl From<activity::Row> for ActivityRow {
    fn from(row: activity::Row) -> Self {
        let text = |text: Option<String>| text.as_deref().and_then(text_from_utf8);
        ActivityRow {
            pid: row.pid,
            database: catalog::database_name(row.database).and_then(name),
            role: catalog::role_name(row.role).and_then(name),
            mode: row.source.mode(),
            issuer: text(row.issuer),
            user_id: text(row.user_id),
            kid: text(row.kid),
            since: timestamp(row.since),
            expires_at: row.expires.and_then(timestamp),
            scope: if row.is_local { "transaction" } else { "session" },
        }
    }
}
