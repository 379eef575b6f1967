//! Tables that end users can access without row-level security.

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use pgrx::spi;

/// Without policies a table with row-level security shows no rows, which looks like a loss of data. A revoked privilege is
/// an error that names the table.
const TABLE_WITHOUT_RLS: &str = "SELECT g.name::text,
       format('%s may %s, and row-level security is off%s.', g.who, g.privileges,
              CASE WHEN EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = g.oid) THEN ': its policies have no effect' ELSE '' END),
       CASE WHEN c.has_policies THEN c.enable || 'only rows that its policies permit' ELSE c.revoke END,
       CASE WHEN c.has_policies THEN c.revoke ELSE c.enable || 'no rows until it has policies' END
  FROM granted g LEFT JOIN grantee n ON n.oid = g.oid
       CROSS JOIN LATERAL (
           SELECT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = g.oid),
                  NULLIF(concat_ws(' ', CASE WHEN g.owner IN (SELECT oid FROM reach) THEN format('ALTER TABLE %s OWNER TO CURRENT_USER;', g.name) END,
                                   format('REVOKE ALL ON %s FROM ', g.name) || n.names || ';'), '') || ' -- end users then have no access to it',
                  format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY; -- end users then see ', g.name)
       ) c (has_policies, revoke, enable)
 WHERE kind IN ('r', 'p') AND NOT rls";

/// NULL where no grant on the object gives a privilege.
const REVOKE: &str = "format('REVOKE ALL ON %s FROM ', g.name) || n.names || ';'";

const FOREIGN_TABLE: &str = "SELECT g.name::text,
       format('%s may %s; a foreign table cannot have row-level security.', g.who, g.privileges),
       $REVOKE
  FROM granted g LEFT JOIN grantee n ON n.oid = g.oid WHERE g.kind = 'f'";

/// A partition without policies is a way to keep end users from it.
const RLS_WITHOUT_POLICY: &str = "SELECT g.name::text,
       format('%s may %s, but no permissive policy applies to them: they see no rows and can write none.', g.who, g.privileges),
       $REVOKE || ' -- or write a policy, such as USING (auth.user_id() = column)'
  FROM granted g LEFT JOIN grantee n ON n.oid = g.oid JOIN pg_class c ON c.oid = g.oid
 WHERE g.kind IN ('r', 'p') AND g.rls AND NOT c.relispartition AND NOT EXISTS (
           SELECT FROM pg_policy p
            WHERE p.polrelid = g.oid AND p.polpermissive
              AND (0::oid = ANY (p.polroles) OR EXISTS (SELECT FROM reach a WHERE a.oid = ANY (p.polroles))))";

/// MAINTAIN exists from PostgreSQL 17 on.
const PRIVILEGE_BYPASSES_RLS: &str = "SELECT r.name::text,
       format('Privileges of %s that row-level security does not restrict: %s.', string_agg(DISTINCT p.name, ', '), string_agg(DISTINCT a.privilege, ', ')),
       NULLIF(concat_ws(' ', CASE WHEN r.owner IN (SELECT oid FROM reach) THEN format('ALTER TABLE %s OWNER TO CURRENT_USER;', r.name) END,
                        format('REVOKE %s ON %s FROM ', string_agg(DISTINCT a.privilege, ', '), r.name) || n.names || ';'), '')
  FROM relation r LEFT JOIN grantee n ON n.oid = r.oid, reach p, unnest(ARRAY['TRUNCATE', 'TRIGGER', 'REFERENCES']
           || CASE WHEN current_setting('server_version_num')::int >= 170000 THEN ARRAY['MAINTAIN'] ELSE '{}' END) a (privilege)
 WHERE r.kind IN ('r', 'p', 'f') AND has_schema_privilege(p.oid, r.schema, 'USAGE')
   AND CASE a.privilege WHEN 'REFERENCES' THEN has_any_column_privilege(p.oid, r.oid, 'REFERENCES')
       ELSE has_table_privilege(p.oid, r.oid, a.privilege) END
 GROUP BY r.oid, r.name, r.owner, n.names";

/// Roles that log in and SET ROLE: their queries before SET ROLE and after RESET ROLE are not subject to row-level security.
const OWNER_NOT_FORCED: &str = "SELECT g.name::text,
       format('%s, which may log in and SET ROLE to an end user''s role, owns it and so bypasses its policies.',
              string_agg(DISTINCT quote_ident(l.rolname), ', ')),
       string_agg(DISTINCT m.revocation, ' ') || ' -- the application then logs in as another role, which owns nothing',
       format('ALTER TABLE %s OWNER TO CURRENT_USER; -- %s can then no longer change and dump it', g.name,
              string_agg(DISTINCT quote_ident(l.rolname), ', ')),
       format('ALTER TABLE %s FORCE ROW LEVEL SECURITY; -- pg_dump as the owner and new foreign keys to it then fail', g.name)
  FROM granted g JOIN pg_roles l ON pg_has_role(l.oid, g.owner, 'MEMBER')
       JOIN membership m ON m.member = l.oid AND (m.roleid IN (SELECT oid FROM end_user) OR m.roleid IN (SELECT oid FROM holder))
 WHERE g.kind IN ('r', 'p') AND g.rls AND NOT g.forced
   AND l.rolcanlogin AND NOT l.rolsuper AND NOT l.rolbypassrls AND l.oid IN (SELECT oid FROM holder)
   AND l.oid NOT IN (SELECT oid FROM end_user)
 GROUP BY g.oid, g.name";

pub fn inspect(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    for (finding, sql) in [
        (Finding::TableWithoutRls, TABLE_WITHOUT_RLS),
        (Finding::RlsWithoutPolicy, RLS_WITHOUT_POLICY),
        (Finding::ForeignTable, FOREIGN_TABLE),
        (Finding::PrivilegeBypassesRls, PRIVILEGE_BYPASSES_RLS),
        (Finding::OwnerNotForced, OWNER_NOT_FORCED),
    ] {
        catalog.find(finding, &sql.replace("$REVOKE", REVOKE), rows)?;
    }
    Ok(())
}
