//! The roles of end users, the roles that they can become, and the roles that can become them.

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use pgrx::spi;

const ROLE_ATTRIBUTE: &str = "SELECT quote_ident(e.rolname),
       CASE WHEN r.oid = e.oid THEN format('It has %s.', a.attributes)
            ELSE format('It is a member of %I, which has %s.', r.rolname, a.attributes) END,
       CASE WHEN r.oid = e.oid THEN format('ALTER ROLE %I NO%s;', e.rolname, replace(a.attributes, ', ', ' NO'))
            ELSE (SELECT string_agg(m.revocation, ' ' ORDER BY m.revocation) FROM membership m
                   WHERE m.roleid = r.oid AND pg_has_role(e.oid, m.member, 'MEMBER')) END
  FROM end_user e JOIN pg_roles r ON r.oid = e.oid
            OR NOT (SELECT s.rolsuper FROM pg_roles s WHERE s.oid = e.oid) AND pg_has_role(e.oid, r.oid, 'MEMBER')
       CROSS JOIN LATERAL (SELECT concat_ws(', ', CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
                                                  CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
                                                  CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
                                                  CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
                                                  CASE WHEN r.rolreplication THEN 'REPLICATION' END)) a (attributes)
 WHERE a.attributes <> ''";

/// The roles that initdb made have numbers below 16384. Membership in pg_database_owner follows from ownership.
const ROLE_MEMBERSHIP: &str =
    "SELECT a.name, format('It is a member of %s.', string_agg(r.rolname, ', ' ORDER BY r.rolname)),
       (SELECT string_agg(m.revocation, ' ' ORDER BY m.revocation)
          FROM membership m JOIN reach b ON b.who = a.who AND b.oid = m.member JOIN pg_roles p ON p.oid = m.roleid
         WHERE p.oid < 16384 AND p.rolname ~ '^pg_')
  FROM reach a JOIN pg_roles r ON r.oid = a.oid
 WHERE r.oid < 16384 AND r.rolname ~ '^pg_' AND r.rolname <> 'pg_database_owner'
 GROUP BY a.who, a.name
UNION ALL
SELECT a.name, format('It may grant membership in %s.', string_agg(DISTINCT quote_ident(r.rolname), ', ')),
       string_agg(DISTINCT m.admin_revocation, ' ')
  FROM reach a JOIN membership m ON m.member = a.oid AND m.admin_option JOIN pg_roles r ON r.oid = m.roleid
 GROUP BY a.name";

const ROLE_LOGIN: &str = "SELECT quote_ident(rolname),
       'It may log in. All end users share it, and each could change its password and settings, and see the statements of \
        its other sessions.',
       format('ALTER ROLE %I NOLOGIN; -- the application then logs in as a separate role that may SET ROLE to it', rolname)
  FROM pg_roles WHERE rolcanlogin AND oid IN (SELECT oid FROM end_user)";

/// The roles of the installation. `missing_roles` has those of providers.
const ROLE_MISSING: &str = "SELECT quote_ident(w.name), 'The role does not exist; nothing was checked for it.', format('CREATE ROLE %I NOLOGIN;', w.name)
  FROM unnest(ARRAY['authenticated', 'anonymous']) w (name) WHERE NOT EXISTS (SELECT FROM end_user e WHERE e.rolname::text = w.name)";

const LOGIN_ROLE_PRIVILEGED: &str = "SELECT quote_ident(l.rolname),
       format('It may log in and SET ROLE to %s, and it has %s: if the application logs in as it, queries before SET ROLE or after \
               RESET ROLE are not subject to row-level security.', string_agg(DISTINCT quote_ident(e.rolname), ', '), a.attributes),
       string_agg(DISTINCT m.revocation, ' ') || ' -- the application then logs in as a NOINHERIT role without these attributes',
       CASE WHEN NOT l.rolsuper THEN format('ALTER ROLE %I NO%s; -- it then has no privilege that comes from these attributes',
                                            l.rolname, replace(a.attributes, ', ', ' NO')) END
  FROM pg_roles l JOIN holder h ON h.oid = l.oid JOIN end_user e ON e.oid = h.who
       JOIN membership m ON m.member = l.oid AND (m.roleid IN (SELECT oid FROM end_user) OR m.roleid IN (SELECT oid FROM holder))
       CROSS JOIN LATERAL (SELECT concat_ws(', ', CASE WHEN l.rolsuper THEN 'SUPERUSER' END,
                                                  CASE WHEN l.rolbypassrls THEN 'BYPASSRLS' END,
                                                  CASE WHEN l.rolcreaterole THEN 'CREATEROLE' END,
                                                  CASE WHEN l.rolreplication THEN 'REPLICATION' END)) a (attributes)
 WHERE l.rolcanlogin AND a.attributes <> '' AND l.oid NOT IN (SELECT oid FROM end_user)
 GROUP BY l.rolname, l.rolsuper, a.attributes";

/// A login that has to SET ROLE: all sessions of an application that serves end users, or of a gateway. Follows `STORED`.
const LOGIN_SHARED: &str = "SELECT quote_ident(l.rolname),
       format('It may log in and SET ROLE to %s, which RESET ROLE undoes. If end users can run any SQL, each of them could %s of its \
               other sessions.', u.names, concat_ws(' and ',
              CASE WHEN l.shows THEN 'read the statements (pg_stat_activity)' END,
              CASE WHEN l.ends THEN 'cancel those (pg_cancel_backend)' END)),
       concat_ws(' ', CASE WHEN l.shows THEN format('ALTER ROLE %I SET track_activities = off;', l.rolname) END,
                 CASE WHEN l.ends THEN format('REVOKE EXECUTE ON FUNCTION pg_cancel_backend(int), pg_terminate_backend(int, bigint) FROM %s;',
                     (SELECT string_agg(DISTINCT COALESCE(quote_ident(g.rolname), 'PUBLIC'), ', ')
                        FROM pg_proc p CROSS JOIN LATERAL aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) x
                             LEFT JOIN pg_roles g ON g.oid = x.grantee
                       WHERE p.oid IN ('pg_cancel_backend(int)'::regprocedure, 'pg_terminate_backend(int, bigint)'::regprocedure)
                         AND (x.grantee = 0 OR pg_has_role(l.oid, x.grantee, 'MEMBER')))) END)
  FROM (SELECT r.oid, r.rolname, COALESCE(
                   (SELECT s.value FROM stored s WHERE s.role = r.oid AND s.name = 'track_activities' ORDER BY s.database <> 0 DESC LIMIT 1),
                   current_setting('track_activities'))::bool AS shows,
               has_function_privilege(r.oid, 'pg_cancel_backend(int)', 'EXECUTE')
               OR has_function_privilege(r.oid, 'pg_terminate_backend(int, bigint)', 'EXECUTE') AS ends
          FROM pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper) l
       CROSS JOIN LATERAL (SELECT string_agg(DISTINCT quote_ident(e.rolname), ', ') AS names
                             FROM holder h JOIN end_user e ON e.oid = h.who
                            WHERE h.oid = l.oid AND NOT pg_has_role(l.oid, e.oid, 'USAGE')) u
 WHERE u.names <> '' AND (l.shows OR l.ends)";

/// A login that need not SET ROLE, and has access to more than the role that it inherits from.
const LOGIN_INHERITS: &str = "SELECT quote_ident(l.rolname),
       format('It may log in and has the privileges of %s without SET ROLE. End users that it serves as it is have its other \
               privileges, too, such as on %s, which is not restricted by row-level security.', i.names, x.name),
       'Let the login be NOINHERIT and SET ROLE, or revoke its other privileges.'
  FROM pg_roles l CROSS JOIN LATERAL (
           SELECT string_agg(quote_ident(e.rolname), ', ' ORDER BY e.rolname)
             FROM end_user e WHERE e.oid <> l.oid AND pg_has_role(l.oid, e.oid, 'USAGE')) i (names)
       CROSS JOIN LATERAL (
           SELECT min(r.name::text) FROM relation r
            WHERE r.kind IN ('r', 'p', 'f', 'm') AND (NOT r.rls OR NOT r.forced AND pg_has_role(l.oid, r.owner, 'USAGE'))
              AND has_schema_privilege(l.oid, r.schema, 'USAGE')
              AND (has_any_column_privilege(l.oid, r.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(l.oid, r.oid, 'DELETE'))
              AND NOT EXISTS (SELECT FROM reach p WHERE p.oid = r.owner)
              AND NOT EXISTS (SELECT FROM grantee g WHERE g.oid = r.oid)) x (name)
 WHERE l.rolcanlogin AND NOT l.rolsuper AND NOT l.rolbypassrls AND l.oid NOT IN (SELECT oid FROM end_user)
   AND i.names <> '' AND x.name <> ''";

/// The settings that ALTER ROLE and ALTER DATABASE have stored for this database; `target` is the text after ALTER.
pub const STORED: &str = ", stored AS (
    SELECT s.setrole AS role, s.setdatabase AS database, lower(split_part(c, '=', 1)) AS name, substr(c, strpos(c, '=') + 1) AS value,
           CASE WHEN r.oid IS NULL AND d.oid IS NULL THEN 'ROLE ALL' WHEN r.oid IS NULL THEN format('DATABASE %I', d.datname)
                ELSE format('ROLE %I', r.rolname) || CASE WHEN d.oid IS NULL THEN '' ELSE format(' IN DATABASE %I', d.datname) END
           END AS target
      FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) c
           LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
     WHERE (s.setdatabase = 0 OR d.datname = current_database())
) ";

/// Names only: a value may be a secret.
const ROLE_SETTING: &str = "SELECT target, format('Settings are stored for it: %s. If it may log in, its users can change them for each other.', string_agg(name, ', ' ORDER BY name)),
       format('ALTER %s RESET ALL; -- unless they are intended', target)
  FROM stored WHERE role IN (SELECT oid FROM end_user)
 GROUP BY target";

const IDENTITY_SETTING: &str = "SELECT target,
       CASE name WHEN 'pg_session_jwt.providers' THEN 'pg_session_jwt.providers is set to an empty value here, which enables a weaker mode.'
                 WHEN 'pg_session_jwt.claims_fallback' THEN 'pg_session_jwt.claims_fallback is enabled here.'
                 WHEN 'pg_session_jwt.jwk' THEN 'pg_session_jwt.jwk is stored here, where it cannot be applied: every function that reads the identity fails.'
                 ELSE format('%s is stored here: one identity for all.', name) END,
       format('ALTER %s RESET %s;', target, name)
  FROM stored
 WHERE name IN ('pg_session_jwt.jwk', 'pg_session_jwt.jwt', 'request.jwt.claims') AND value <> ''
    OR name = 'pg_session_jwt.providers' AND value = ''
    OR name = 'pg_session_jwt.claims_fallback' AND lower(value) IN ('on', 'true', 'yes', '1', 't', 'y')";

pub fn inspect(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    catalog.find(Finding::RoleAttribute, ROLE_ATTRIBUTE, rows)?;
    catalog.find(Finding::RoleMembership, ROLE_MEMBERSHIP, rows)?;
    catalog.find(Finding::RoleLogin, ROLE_LOGIN, rows)?;
    catalog.find(Finding::RoleMissing, ROLE_MISSING, rows)?;
    catalog.find(Finding::LoginRolePrivileged, LOGIN_ROLE_PRIVILEGED, rows)?;
    catalog.find(Finding::LoginShared, &format!("{STORED}{LOGIN_SHARED}"), rows)?;
    catalog.find(Finding::LoginInherits, LOGIN_INHERITS, rows)?;
    catalog.find(Finding::RoleSetting, &format!("{STORED}{ROLE_SETTING}"), rows)?;
    catalog.find(Finding::IdentitySetting, &format!("{STORED}{IDENTITY_SETTING}"), rows)
}
