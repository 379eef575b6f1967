//! `auth.check()` and `auth.check_sarif()`: the SQL functions; the findings are those of [`crate::check`].

#![forbid(unsafe_code)]

use pgrx::prelude::*;

#[pg_schema]
mod auth {
    use pgrx::prelude::*;

    use crate::check;
    use crate::check::sarif;
    use crate::pg::arguments::ShortText;
    use crate::pg::encoding;
    use crate::pg::sql_types::{Jsonb, Text, jsonb, text};

    /// The findings of the checker on this database, for administrators. The search_path keeps other operators and
    /// relations from replacing those of pg_catalog. JIT is off: the estimates would start it, and it costs more than it saves.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.check() RETURNS TABLE (severity text, finding text, object text, problem text, remedy text,
            count bigint, allowed_because text)
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
                name!(count, i64),
                name!(allowed_because, Option<Text>),
            ),
        >,
    > {
        let rows = check::rows()?;
        Ok(TableIterator::new(rows.into_iter().map(|row| {
            let severity = row.severity().name();
            let [object, problem, remedy] = [row.object, row.problem, row.remedy].map(|value| text(&value).map(Text));
            let allowed_because = row.allowed_because.and_then(|reason| text(&reason)).map(Text);
            (
                severity,
                row.finding.name(),
                object,
                problem,
                remedy,
                row.count,
                allowed_because,
            )
        })))
    }

    /// The findings as a log in SARIF 2.1.0, all at the first line of `file`. NULL for a path that is too long.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.check_sarif(file text DEFAULT 'schema.sql', with_allowed bool DEFAULT false) RETURNS jsonb
        STRICT VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp SET jit TO off
        LANGUAGE c AS 'MODULE_PATHNAME', 'check_sarif_wrapper';"#)]
    fn check_sarif(file: ShortText, with_allowed: bool) -> pgrx::spi::Result<Option<Jsonb>> {
        let Some(file) = file.0 else {
            return Ok(None);
        };
        let log = sarif::log(&check::rows()?, &file, with_allowed).to_string();
        Ok(encoding::to_server(&log).and_then(|log| jsonb(&log)).map(Jsonb))
    }
}
