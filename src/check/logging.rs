//! Settings that have PostgreSQL, or a library that logs or counts statements, write tokens. Defaults of PostgreSQL are not
//! reported.
//!
//! A library is often loaded for other sessions only. Its settings are therefore known by their names: stored ones, and
//! those of postgresql.conf, which PostgreSQL then keeps without a definition and does not list in pg_settings.

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::check::roles::STORED;
use pgrx::spi;

/// The values that other sessions get: all stored ones, and for other settings the defaults of this session, which SET does
/// not change. `remedy` is the statement up to the name of the setting.
///
/// Since PostgreSQL 19 `log_min_messages` is a list: one level, and others for kinds of processes, `warning, backend:debug2`.
const EFFECTIVE: &str = ", known (name, value) AS (
    VALUES ('auto_explain.log_min_duration', NULL), ('auto_explain.log_parameter_max_length', $EXPLAINED_PARAMETERS),
           ('pgaudit.log', NULL), ('pgaudit.log_parameter', NULL), ('pgaudit.log_parameter_max_size', NULL), ('pgaudit.log_statement', NULL),
           ('pg_stat_monitor.pgsm_normalized_query', NULL), ('pg_stat_monitor.pgsm_track_utility', NULL)
), effective AS (
    SELECT name AS object, name, value, 'ALTER ' || target || ' SET' AS remedy, target || ': ' AS prefix, '' AS reload FROM stored
     UNION ALL
    SELECT g.name, lower(g.name), g.reset_val, 'ALTER SYSTEM SET', '', ' SELECT pg_reload_conf();' FROM pg_settings g
     WHERE NOT EXISTS (SELECT FROM stored s WHERE s.name = lower(g.name) AND (s.role = 0 OR pg_get_userbyid(s.role) = SESSION_USER))
     UNION ALL
    SELECT k.name, k.name, u.value, 'ALTER SYSTEM SET', '', ' SELECT pg_reload_conf();'
      FROM known k CROSS JOIN LATERAL (
               SELECT COALESCE(CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting(k.name, true) END, k.value)
           ) u (value)
     WHERE u.value <> '' AND NOT EXISTS (SELECT FROM pg_settings g WHERE lower(g.name) = k.name)
       AND NOT EXISTS (SELECT FROM stored s WHERE s.name = k.name AND (s.role = 0 OR pg_get_userbyid(s.role) = SESSION_USER))
), audited (prefix, value, carries) AS (
    SELECT e.prefix, e.value, ARRAY(
               SELECT c.class FROM unnest(ARRAY['read', 'function', 'misc', 'misc_set']) c (class)
                WHERE (c.class = ANY (l.list) OR 'all' = ANY (l.list)) AND NOT '-' || c.class = ANY (l.list))
      FROM effective e CROSS JOIN LATERAL (SELECT regexp_split_to_array(lower(btrim(e.value, ' \"')), ' *, *')) l (list)
     WHERE e.name = 'pgaudit.log'
), logged AS (
    SELECT e.*, CASE WHEN name = 'log_statement' AND lower(value) = 'all' THEN 'none'
                     WHEN name IN ('log_min_duration_statement', 'log_min_duration_sample', 'auto_explain.log_min_duration')
                          AND value !~ '^ *-' THEN '-1'
                     WHEN name = 'log_transaction_sample_rate' AND value ~ '[1-9]' THEN '0'
                     WHEN name = 'log_min_messages'
                          AND coalesce(substring(lower(value) FROM 'backend:([a-z0-9]+)'), substring(lower(value) FROM '(?:^|,) *([a-z0-9]+) *(?:,|$)'))
                              IN ('debug', 'debug2', 'debug3', 'debug4', 'debug5') THEN 'warning'
                     WHEN name = 'log_min_error_statement'
                          AND lower(value) IN ('debug', 'debug1', 'debug2', 'debug3', 'debug4', 'debug5', 'info', 'notice', 'warning') THEN 'panic'
                     WHEN name IN ('debug_print_raw_parse', 'debug_print_parse', 'debug_print_rewritten', 'debug_print_plan')
                          AND lower(value) IN ('on', 'true', 'yes', '1', 't', 'y') THEN 'off'
                     WHEN name = 'pgaudit.log' AND EXISTS (
                              SELECT FROM audited a WHERE a.prefix = e.prefix AND a.value = e.value AND a.carries <> '{}')
                          AND NOT EXISTS (
                              SELECT FROM effective s WHERE s.name = 'pgaudit.log_statement' AND s.prefix IN ('', e.prefix)
                                 AND lower(s.value) IN ('off', 'false', 'no', '0', 'f', 'n')) THEN 'write, ddl, role' END AS better
      FROM effective e
) ";

const LOGGED_STATEMENTS: &str = "SELECT prefix || object,
       format('%s = %s writes statements to the server''s log, with the tokens that they contain as literals.', object, value),
       format('%s %s = %s;%s -- unless all tokens are bound parameters', remedy, object, quote_literal(better), reload)
  FROM logged WHERE better IS NOT NULL";

/// Bound parameters are logged with the statements, in full unless a setting limits them.
const LOGGED_PARAMETERS: &str = "SELECT prefix || object,
       format('%s = %s writes bound parameters to the server''s log, and the token is one of them.', object, value),
       format('%s %s = %s;%s', remedy, object, CASE name WHEN 'pgaudit.log_parameter' THEN 'off' ELSE '0' END, reload)
  FROM effective e
 WHERE value <> '0' AND (
       name = 'log_parameter_max_length_on_error'
    OR name = 'pgaudit.log_parameter' AND lower(value) IN ('on', 'true', 'yes', '1', 't', 'y')
       AND EXISTS (SELECT FROM audited WHERE carries <> '{}')
       AND NOT EXISTS (SELECT FROM effective m WHERE m.name = 'pgaudit.log_parameter_max_size' AND m.prefix IN ('', e.prefix)
                          AND m.value ~ '^[1-9][0-9]?$')
    OR name = 'log_parameter_max_length' AND EXISTS (
           SELECT FROM logged WHERE better IS NOT NULL
              AND name IN ('log_statement', 'log_min_duration_statement', 'log_min_duration_sample', 'log_transaction_sample_rate'))
    OR name = 'auto_explain.log_parameter_max_length' AND EXISTS (
           SELECT FROM logged WHERE better IS NOT NULL AND name = 'auto_explain.log_min_duration'))";

/// pg_stat_monitor tracks them by default.
const PG_STAT_STATEMENTS_TRACKS_UTILITY: &str = "SELECT prefix || object,
       split_part(name, '.', 1) || ' stores SET pg_session_jwt.jwt = ... and DO blocks verbatim, with the token in them.',
       format('%s %s = off;%s -- unless tokens are presented with auth.jwt_session_init($1)', remedy, object, reload)
  FROM effective
 WHERE lower(value) IN ('on', 'true', 'yes', '1', 't', 'y')
   AND (name = 'pg_stat_monitor.pgsm_track_utility'
     OR name = 'pg_stat_statements.track_utility'
        AND EXISTS (SELECT FROM pg_settings WHERE name = 'pg_stat_statements.track' AND reset_val <> 'none'))";

/// The default of pg_stat_monitor stores them.
const LITERALS_STORED: &str = "SELECT prefix || object,
       'pg_stat_monitor stores statements with their literals, and so the tokens that they contain.',
       format('%s %s = on;%s -- unless all tokens are bound parameters', remedy, object, reload)
  FROM effective
 WHERE name = 'pg_stat_monitor.pgsm_normalized_query' AND lower(value) IN ('off', 'false', 'no', '0', 'f', 'n')";

/// auto_explain logs parameters in full unless it is set otherwise; before PostgreSQL 16 it logs none.
const EXPLAINED_PARAMETERS: &str = if cfg!(feature = "pg15") { "NULL" } else { "'-1'" };

pub fn inspect(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    for (finding, sql) in [
        (Finding::LoggedStatements, LOGGED_STATEMENTS),
        (Finding::LoggedParameters, LOGGED_PARAMETERS),
        (
            Finding::PgStatStatementsTracksUtility,
            PG_STAT_STATEMENTS_TRACKS_UTILITY,
        ),
        (Finding::LiteralsStored, LITERALS_STORED),
    ] {
        let sql = format!("{STORED}{EFFECTIVE}{sql}").replace("$EXPLAINED_PARAMETERS", EXPLAINED_PARAMETERS);
        catalog.find(finding, &sql, rows)?;
    }
    Ok(())
}
