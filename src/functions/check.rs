//! `auth.check()`: the SQL function; the findings are those of [`crate::check`].

#![forbid(unsafe_code)]

use pgrx::prelude::*;

#[pg_schema]
mod auth {
    use pgrx::prelude::*;

    use crate::check;
    use crate::pg::sql_types::{Text, text};

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
