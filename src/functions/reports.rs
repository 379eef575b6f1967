//! The functions of schema `auth` that return reports: on the session's identity, the providers' keys, and the database.

#![forbid(unsafe_code)]

use pgrx::prelude::*;

#[pg_schema]
mod auth {
    use pgrx::datum::TimestampWithTimeZone;
    use pgrx::prelude::*;

    use crate::check;
    use crate::functions::providers;
    use crate::functions::status::Status;
    use crate::pg::sql_types::{Text, text};

    /// The identity of the session, or the reason why it has none.
    #[pg_extern(stable, parallel_restricted)]
    #[expect(clippy::type_complexity, reason = "pgrx reads the columns from the type")]
    fn status() -> TableIterator<
        'static,
        (
            name!(mode, &'static str),
            name!(identity, bool),
            name!(provider, Option<i32>),
            name!(issuer, Option<Text>),
            name!(kid, Option<Text>),
            name!(user_id, Option<Text>),
            name!(expires_at, Option<TimestampWithTimeZone>),
            name!(seconds_left, Option<i64>),
            name!(reason, Option<Text>),
        ),
    > {
        let status = Status::now();
        TableIterator::once((
            status.mode,
            status.identity,
            status.provider,
            status.issuer,
            status.kid,
            status.user_id,
            status.expires_at,
            status.seconds_left,
            status.reason,
        ))
    }

    /// The keys of the providers.
    #[pg_extern(volatile, parallel_unsafe)]
    #[expect(clippy::type_complexity, reason = "pgrx reads the columns from the type")]
    fn providers() -> TableIterator<
        'static,
        (
            name!(provider, i32),
            name!(issuer, Option<Text>),
            name!(source, &'static str),
            name!(location, Option<Text>),
            name!(kid, Option<Text>),
            name!(kty, Option<Text>),
            name!(alg, Option<Text>),
            name!(usable, bool),
            name!(reason, Option<Text>),
            name!(fetched_at, Option<TimestampWithTimeZone>),
            name!(next_refresh, Option<TimestampWithTimeZone>),
            name!(last_error, Option<Text>),
        ),
    > {
        let rows = providers::rows().unwrap_or_else(|failure| failure.raise());
        TableIterator::new(rows.into_iter().map(|row| {
            (
                row.provider,
                row.issuer,
                row.source,
                row.location,
                row.kid,
                row.kty,
                row.alg,
                row.usable,
                row.reason,
                row.fetched_at,
                row.next_refresh,
                row.last_error,
            )
        }))
    }

    /// The findings of the checker on this database, for administrators. The search_path keeps other operators and
    /// relations from replacing those of pg_catalog. JIT is off: the estimates would start it, and it costs more than it saves.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.check() RETURNS TABLE (severity text, finding text, object text, problem text, remedy text)
        STRICT VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp SET jit TO off
        LANGUAGE c AS 'MODULE_PATHNAME', 'check_wrapper';"#)]
    #[expect(clippy::type_complexity, reason = "pgrx reads the columns from the type")]
    fn check() -> pgrx::spi::Result<
        TableIterator<
            'static,
            (
                name!(severity, &'static str),
                name!(finding, &'static str),
                name!(object, Option<Text>),
                name!(problem, Option<Text>),
                name!(remedy, Option<Text>),
            ),
        >,
    > {
        let rows = check::rows()?;
        Ok(TableIterator::new(rows.into_iter().map(|row| {
            let finding = row.finding;
            let [object, problem, remedy] = [row.object, row.problem, row.remedy].map(|value| text(&value).map(Text));
            (finding.severity().name(), finding.name(), object, problem, remedy)
        })))
    }
}
