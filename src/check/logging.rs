//! Settings that have PostgreSQL itself write tokens to its log or its statistics. Defaults are not reported.

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::check::roles::STORED;
use pgrx::spi;

/// The values that other sessions get: all stored ones, and for other settings the defaults of this session, which SET does
/// not change. `remedy` is the statement up to the name of the setting.
const EFFECTIVE: &str = ", effective AS (
    SELECT name AS object, name, value, 'ALTER ' || target || ' SET' AS remedy, target || ': ' AS prefix FROM stored
     UNION ALL
    SELECT g.name, lower(g.name), g.reset_val, 'ALTER SYSTEM SET', '' FROM pg_settings g
     WHERE NOT EXISTS (SELECT FROM stored s WHERE s.name = lower(g.name) AND (s.role = 0 OR pg_get_userbyid(s.role) = SESSION_USER))
), logged AS (
    SELECT e.*, CASE WHEN name = 'log_statement' AND lower(value) = 'all' THEN 'none'
                     WHEN name IN ('log_min_duration_statement', 'log_min_duration_sample', 'auto_explain.log_min_duration')
                          AND value !~ '^ *-' THEN '-1'
                     WHEN name = 'log_transaction_sample_rate' AND value ~ '[1-9]' THEN '0'
                     WHEN name = 'log_min_messages' AND lower(value) IN ('debug', 'debug2', 'debug3', 'debug4', 'debug5') THEN 'warning'
                     WHEN name = 'log_min_error_statement'
                          AND lower(value) IN ('debug', 'debug1', 'debug2', 'debug3', 'debug4', 'debug5', 'info', 'notice', 'warning') THEN 'panic'
                     WHEN name IN ('debug_print_parse', 'debug_print_rewritten', 'debug_print_plan')
                          AND lower(value) IN ('on', 'true', 'yes', '1', 't', 'y') THEN 'off' END AS better
      FROM effective e
) ";

const LOGGED_STATEMENTS: &str = "SELECT prefix || object,
       format('%s = %s writes statements to the server''s log, with the tokens that they contain as literals.', object, value),
       format('%s %s = %s; or pass tokens as bound parameters only.', remedy, object, quote_literal(better))
  FROM logged WHERE better IS NOT NULL";

/// Bound parameters are logged with the statements, in full unless a setting limits them.
const LOGGED_PARAMETERS: &str = "SELECT prefix || object,
       format('%s = %s writes bound parameters to the server''s log, and the token is one of them.', object, value),
       format('%s %s = 0;', remedy, object)
  FROM effective
 WHERE value <> '0' AND (
       name = 'log_parameter_max_length_on_error'
    OR name = 'log_parameter_max_length' AND EXISTS (
           SELECT FROM logged WHERE better IS NOT NULL
              AND name IN ('log_statement', 'log_min_duration_statement', 'log_min_duration_sample', 'log_transaction_sample_rate'))
    OR name = 'auto_explain.log_parameter_max_length' AND EXISTS (
           SELECT FROM logged WHERE better IS NOT NULL AND name = 'auto_explain.log_min_duration'))";

const PG_STAT_STATEMENTS_TRACKS_UTILITY: &str = "SELECT prefix || object, 'pg_stat_statements stores SET pg_session_jwt.jwt = ... and DO blocks verbatim, with the token in them.',
       format('%s %s = off; or present tokens with auth.jwt_session_init($1).', remedy, object)
  FROM effective
 WHERE name = 'pg_stat_statements.track_utility' AND lower(value) IN ('on', 'true', 'yes', '1', 't', 'y')
   AND EXISTS (SELECT FROM pg_settings WHERE name = 'pg_stat_statements.track' AND reset_val <> 'none')";

pub fn inspect(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    for (finding, sql) in [
        (Finding::LoggedStatements, LOGGED_STATEMENTS),
        (Finding::LoggedParameters, LOGGED_PARAMETERS),
        (
            Finding::PgStatStatementsTracksUtility,
            PG_STAT_STATEMENTS_TRACKS_UTILITY,
        ),
    ] {
        catalog.find(finding, &format!("{STORED}{EFFECTIVE}{sql}"), rows)?;
    }
    Ok(())
}
