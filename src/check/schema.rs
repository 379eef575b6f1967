//! Schema `auth`: whether it is this extension's, and whether another role can replace its functions.

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use pgrx::spi;

const OWN: &str = ", extension AS (
    SELECT oid, extowner AS owner FROM pg_extension WHERE extname = 'pg_session_jwt'
), own AS (
    SELECT p.oid, p.proname, p.proowner, oidvectortypes(p.proargtypes) AS arguments, e.owner AS extension_owner
      FROM extension e JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
           JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
) ";

const AUTH_OWNER: &str =
    "SELECT o.object, format('Its owner is %s, which can replace or rename it.', quote_ident(r.rolname)),
       format('ALTER %s OWNER TO %I;', o.kind_and_object, pg_get_userbyid(o.extension_owner))
  FROM (SELECT quote_ident(nspname), 'SCHEMA ' || quote_ident(nspname), nspowner, (SELECT owner FROM extension)
          FROM pg_namespace WHERE nspname = 'auth'
         UNION ALL
        SELECT oid::regprocedure::text, 'FUNCTION ' || oid::regprocedure, proowner, extension_owner FROM own
       ) o (object, kind_and_object, owner, extension_owner)
       JOIN pg_roles r ON r.oid = o.owner
 WHERE NOT r.rolsuper AND o.owner IS DISTINCT FROM o.extension_owner";

const AUTH_SCHEMA_CREATE: &str = "SELECT quote_ident(n.nspname),
       format('%s may CREATE in it, and so add a function that shadows one of the extension''s.', w.who),
       format('REVOKE CREATE ON SCHEMA %I FROM %s;', n.nspname, w.who)
  FROM pg_namespace n CROSS JOIN LATERAL (
           SELECT string_agg(CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END, ', ' ORDER BY r.rolname)
             FROM aclexplode(COALESCE(n.nspacl, acldefault('n', n.nspowner))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
            WHERE a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner AND r.rolsuper IS NOT TRUE) w (who)
 WHERE n.nspname = 'auth' AND w.who IS NOT NULL";

const AUTH_LOOK_ALIKE: &str = "SELECT p.oid::regprocedure::text,
       format('It belongs to %s and not to the extension: a call to auth.%I(...) may run it, or be ambiguous.', quote_ident(pg_get_userbyid(p.proowner)), p.proname),
       format('ALTER ROUTINE %s SET SCHEMA public; -- its callers then name it there', p.oid::regprocedure),
       format('DROP ROUTINE %s;', p.oid::regprocedure)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = 'auth' AND p.oid NOT IN (SELECT oid FROM own)";

const AUTH_FUNCTION_REPLACED: &str = "SELECT format('auth.%s(%s)', quote_ident(f.name), f.arguments),
       CASE WHEN f.oid IS NULL THEN 'The extension has no such function.'
            ELSE format('The extension''s function is now named %s: a new policy that calls auth.%I gets another function, or an error.', f.oid::regprocedure, f.name) END,
       'Restore the names of the schema and the function, or recreate the extension.'
  FROM (SELECT o.oid, o.proname, o.arguments FROM own o
         UNION ALL
        SELECT NULL, w.name, '' FROM unnest(ARRAY['user_id', 'uid', 'session', 'jwt', 'organization', 'organization_id', 'role', 'email']) w (name)
         WHERE w.name NOT IN (SELECT o.proname FROM own o)
       ) f (oid, name, arguments)
 WHERE to_regprocedure(format('auth.%I(%s)', f.name, f.arguments)) IS DISTINCT FROM f.oid OR f.oid IS NULL";

/// The installation grants these functions to administrators only.
const AUTH_FUNCTION_GRANTED: &str = "SELECT o.oid::regprocedure::text,
       format('%s may call this function, which ' || CASE o.proname WHEN 'activity' THEN 'reveals the users of all connections.' WHEN 'stats' THEN 'reveals how many tokens of all databases are accepted and rejected.' WHEN 'reset_stats' THEN 'resets the statistics of the server.' WHEN 'refresh_providers' THEN 'sends requests to the providers.' ELSE 'reveals the problems of this database, its providers or its tokens.' END, string_agg(DISTINCT w.name, ', ')),
       format('REVOKE EXECUTE ON FUNCTION %s FROM %s;', o.oid::regprocedure, string_agg(DISTINCT w.name, ', '))
  FROM own o JOIN pg_proc p ON p.oid = o.oid CROSS JOIN LATERAL aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) a
       LEFT JOIN pg_roles r ON r.oid = a.grantee
       CROSS JOIN LATERAL (SELECT COALESCE(quote_ident(r.rolname), 'PUBLIC')) w (name)
 WHERE o.proname IN ('activity', 'check', 'check_sarif', 'providers', 'provider_settings', 'refresh_providers', 'reset_stats', 'stats', 'verify') AND (a.grantee = 0 OR a.grantee IN (SELECT oid FROM reach))
   AND a.grantee <> p.proowner AND COALESCE(r.rolname, '') <> ALL (CASE WHEN o.proname IN ('activity', 'stats') THEN ARRAY['pg_monitor', 'pg_read_all_stats']
                                                                        WHEN o.proname = 'reset_stats' THEN ARRAY[]::text[]
                                                                        ELSE ARRAY['pg_read_all_settings', 'pg_database_owner', 'pg_signal_backend'] END)
 GROUP BY o.oid, o.proname";

pub fn inspect(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    for (finding, sql) in [
        (Finding::AuthOwner, AUTH_OWNER),
        (Finding::AuthSchemaCreate, AUTH_SCHEMA_CREATE),
        (Finding::AuthLookAlike, AUTH_LOOK_ALIKE),
        (Finding::AuthFunctionReplaced, AUTH_FUNCTION_REPLACED),
        (Finding::AuthFunctionGranted, AUTH_FUNCTION_GRANTED),
    ] {
        catalog.find(finding, &format!("{OWN}{sql}"), rows)?;
    }
    Ok(())
}
