//! Tables that end users can access without row-level security.

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use pgrx::spi;

const TABLE_WITHOUT_RLS: &str = "SELECT name::text,
       format('%s may %s, and row-level security is off%s.', who, privileges,
              CASE WHEN EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = g.oid) THEN ': its policies have no effect' ELSE '' END),
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY; and add policies, or REVOKE the privileges.', name)
  FROM granted g WHERE kind IN ('r', 'p') AND NOT rls";

const FOREIGN_TABLE: &str = "SELECT name::text,
       format('%s may %s; a foreign table cannot have row-level security.', who, privileges),
       format('REVOKE ALL ON %s FROM %s, PUBLIC;', name, who)
  FROM granted WHERE kind = 'f'";

/// MAINTAIN exists from PostgreSQL 17 on.
const PRIVILEGE_BYPASSES_RLS: &str = "SELECT r.name::text,
       format('Privileges of %s that row-level security does not restrict: %s.', string_agg(DISTINCT p.name, ', '), string_agg(DISTINCT a.privilege, ', ')),
       format('REVOKE %s ON %s FROM %s, PUBLIC;', string_agg(DISTINCT a.privilege, ', '), r.name, string_agg(DISTINCT p.name, ', '))
  FROM relation r, reach p, unnest(ARRAY['TRUNCATE', 'TRIGGER', 'REFERENCES']
           || CASE WHEN current_setting('server_version_num')::int >= 170000 THEN ARRAY['MAINTAIN'] ELSE '{}' END) a (privilege)
 WHERE r.kind IN ('r', 'p', 'f') AND has_schema_privilege(p.oid, r.schema, 'USAGE')
   AND CASE a.privilege WHEN 'REFERENCES' THEN has_any_column_privilege(p.oid, r.oid, 'REFERENCES')
       ELSE has_table_privilege(p.oid, r.oid, a.privilege) END
 GROUP BY r.oid, r.name";

/// Roles that log in and SET ROLE: their queries before SET ROLE and after RESET ROLE are not subject to row-level security.
const OWNER_NOT_FORCED: &str = "SELECT g.name::text,
       format('%s, which may log in and SET ROLE to an end user''s role, owns it and so bypasses its policies.',
              string_agg(DISTINCT quote_ident(l.rolname), ', ')),
       format('ALTER TABLE %s FORCE ROW LEVEL SECURITY; or have the application log in as a role that owns nothing.', g.name)
  FROM granted g JOIN pg_roles l ON pg_has_role(l.oid, g.owner, 'MEMBER')
 WHERE g.kind IN ('r', 'p') AND g.rls AND NOT g.forced
   AND l.rolcanlogin AND NOT l.rolsuper AND NOT l.rolbypassrls AND l.oid IN (SELECT oid FROM holder)
   AND l.oid NOT IN (SELECT oid FROM end_user)
 GROUP BY g.oid, g.name";

/// Views that read a table as an owner that bypasses row-level security, directly or through other views.
const VIEW_BYPASSES_RLS: &str = ", reads (top, at, actor) AS (
    SELECT g.oid, g.oid, g.owner FROM granted g WHERE g.kind = 'v' AND NOT g.invoker
     UNION
    SELECT s.top, r.oid, CASE WHEN r.kind = 'v' AND NOT r.invoker THEN r.owner ELSE s.actor END
      FROM reads s JOIN pg_rewrite w ON w.ev_class = s.at AND w.ev_type = '1'
           JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
           JOIN relation r ON r.oid = d.refobjid AND r.oid <> s.at
) SELECT g.name::text,
       format('%s may %s, and it reads %s as %s, which bypasses row-level security.', g.who, g.privileges,
              string_agg(DISTINCT t.name::text, ', '), string_agg(DISTINCT quote_ident(o.rolname), ', ')),
       format('ALTER VIEW %s SET (security_invoker = true);', g.name)
  FROM granted g JOIN reads s ON s.top = g.oid JOIN relation t ON t.oid = s.at JOIN pg_roles o ON o.oid = s.actor
 WHERE t.kind IN ('r', 'p') AND t.rls
   AND (o.rolsuper OR o.rolbypassrls OR NOT t.forced AND pg_has_role(o.oid, t.owner, 'USAGE'))
 GROUP BY g.oid, g.name, g.who, g.privileges";

const MATERIALIZED_VIEW_BYPASSES_RLS: &str = ", reads (top, at) AS (
    SELECT g.oid, g.oid FROM granted g WHERE g.kind = 'm'
     UNION
    SELECT s.top, r.oid
      FROM reads s JOIN pg_rewrite w ON w.ev_class = s.at AND w.ev_type = '1'
           JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
           JOIN relation r ON r.oid = d.refobjid AND r.oid <> s.at
) SELECT g.name::text,
       format('%s may %s, and it stores rows of %s, whose policies do not apply to it.', g.who, g.privileges, string_agg(DISTINCT t.name::text, ', ')),
       format('REVOKE ALL ON %s FROM %s, PUBLIC;', g.name, g.who)
  FROM granted g JOIN reads s ON s.top = g.oid JOIN relation t ON t.oid = s.at AND t.kind IN ('r', 'p') AND t.rls
 GROUP BY g.oid, g.name, g.who, g.privileges";

pub fn inspect(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    catalog.find(Finding::TableWithoutRls, TABLE_WITHOUT_RLS, rows)?;
    catalog.find(Finding::ForeignTable, FOREIGN_TABLE, rows)?;
    catalog.find(Finding::PrivilegeBypassesRls, PRIVILEGE_BYPASSES_RLS, rows)?;
    catalog.find(Finding::OwnerNotForced, OWNER_NOT_FORCED, rows)?;
    catalog.find(Finding::ViewBypassesRls, VIEW_BYPASSES_RLS, rows)?;
    catalog.find(
        Finding::MaterializedViewBypassesRls,
        MATERIALIZED_VIEW_BYPASSES_RLS,
        rows,
    )
}
