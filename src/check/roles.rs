//! The roles of end users, the roles that they can become, and the roles that can become them.

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use pgrx::spi;

const ROLE_ATTRIBUTE: &str = "SELECT quote_ident(e.rolname),
       CASE WHEN r.oid = e.oid THEN format('It has %s.', a.attributes)
            ELSE format('It is a member of %I, which has %s.', r.rolname, a.attributes) END,
       CASE WHEN r.oid = e.oid THEN format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;', e.rolname)
            ELSE format('REVOKE %I FROM %I;', r.rolname, e.rolname) END
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
       format('REVOKE %s FROM %s;', string_agg(r.rolname, ', ' ORDER BY r.rolname), a.name)
  FROM reach a JOIN pg_roles r ON r.oid = a.oid
 WHERE r.oid < 16384 AND r.rolname ~ '^pg_' AND r.rolname <> 'pg_database_owner'
 GROUP BY a.name
UNION ALL
SELECT a.name, format('It may grant membership in %s.', string_agg(DISTINCT quote_ident(r.rolname), ', ')),
       format('REVOKE ADMIN OPTION FOR %s FROM %s;', string_agg(DISTINCT quote_ident(r.rolname), ', '), a.name)
  FROM reach a JOIN pg_auth_members m ON m.member = a.oid AND m.admin_option JOIN pg_roles r ON r.oid = m.roleid
 GROUP BY a.name";

const ROLE_LOGIN: &str = "SELECT quote_ident(rolname),
       'It may log in. All end users share it, and each could change its password and settings, and see the statements of \
        its other sessions.',
       format('ALTER ROLE %I NOLOGIN; and have the application log in as a separate role that may SET ROLE %I.', rolname, rolname)
  FROM pg_roles WHERE rolcanlogin AND oid IN (SELECT oid FROM end_user)";

const ROLE_MISSING: &str = "SELECT quote_ident(w.name), 'The role does not exist; nothing was checked for it.', format('CREATE ROLE %I NOLOGIN;', w.name)
  FROM unnest($1) w (name) WHERE NOT EXISTS (SELECT FROM end_user e WHERE e.rolname::text = w.name)";

const LOGIN_ROLE_PRIVILEGED: &str = "SELECT quote_ident(l.rolname),
       format('It may log in and SET ROLE to %s, and it has %s: if the application logs in as it, queries before SET ROLE or after \
               RESET ROLE are not subject to row-level security.', string_agg(DISTINCT quote_ident(e.rolname), ', '), a.attributes),
       'Have the application log in as a NOINHERIT role without these attributes.'
  FROM pg_roles l JOIN holder h ON h.oid = l.oid JOIN end_user e ON e.oid = h.who
       CROSS JOIN LATERAL (SELECT concat_ws(', ', CASE WHEN l.rolsuper THEN 'SUPERUSER' END,
                                                  CASE WHEN l.rolbypassrls THEN 'BYPASSRLS' END,
                                                  CASE WHEN l.rolcreaterole THEN 'CREATEROLE' END,
                                                  CASE WHEN l.rolreplication THEN 'REPLICATION' END)) a (attributes)
 WHERE l.rolcanlogin AND a.attributes <> '' AND l.oid NOT IN (SELECT oid FROM end_user)
 GROUP BY l.rolname, a.attributes";

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
       format('ALTER %s RESET ALL; unless they are intended.', target)
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
    catalog.find(Finding::RoleSetting, &format!("{STORED}{ROLE_SETTING}"), rows)?;
    catalog.find(Finding::IdentitySetting, &format!("{STORED}{IDENTITY_SETTING}"), rows)
}
