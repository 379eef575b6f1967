//! The privileges of end users other than reading and writing tables.

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use pgrx::spi;

const DEFINER_FUNCTION: &str = "SELECT p.oid::regprocedure::text,
       format('%s may run it as %s%s.', string_agg(DISTINCT a.name, ', '), quote_ident(pg_get_userbyid(p.proowner)),
              CASE WHEN EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c ~ '^search_path=') THEN ''
              ELSE ', and it does not set search_path' END),
       format('REVOKE EXECUTE ON ROUTINE %s FROM ', p.oid::regprocedure)
              || $GRANTEES[COALESCE(p.proacl, acldefault('f', p.proowner))] || '; -- other roles that call it then need a GRANT',
       format('ALTER ROUTINE %s SECURITY INVOKER; -- it then has the privileges of its caller', p.oid::regprocedure)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN reach a ON has_function_privilege(a.oid, p.oid, 'EXECUTE')
 WHERE p.prosecdef AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND has_schema_privilege(a.oid, n.oid, 'USAGE')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
 GROUP BY p.oid, p.proowner, p.proacl, p.proconfig";

const DBLINK_EXECUTABLE: &str = "SELECT 'dblink',
       string_agg(DISTINCT a.name, ', ') || ' may connect from here to other servers, and to this one as any role that it trusts.',
       format('REVOKE EXECUTE ON FUNCTION %s FROM ', string_agg(DISTINCT p.oid::regprocedure::text, ', '))
              || string_agg(DISTINCT $GRANTEES[COALESCE(p.proacl, acldefault('f', p.proowner))], ', ')
              || '; -- other roles that call them then need a GRANT',
       'DROP EXTENSION dblink;'
  FROM pg_extension e JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
       JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
       JOIN reach a ON has_function_privilege(a.oid, p.oid, 'EXECUTE') AND has_schema_privilege(a.oid, p.pronamespace, 'USAGE')
 WHERE e.extname = 'dblink' AND p.proname ~ '^dblink(_connect.*|_exec)?$'
 GROUP BY e.oid";

/// Objects except temporary ones, which every session may have, and large objects, which have a separate finding.
const OWNED_OBJECT: &str = "SELECT o.identity,
       format('This %s belongs to %s: its owner bypasses row-level security, and may change and drop it.', o.type,
              string_agg(DISTINCT quote_ident(pg_get_userbyid(s.refobjid)), ', ')),
       format('REASSIGN OWNED BY %s TO CURRENT_USER; -- this moves all that it owns in this database',
              string_agg(DISTINCT quote_ident(pg_get_userbyid(s.refobjid)), ', '))
  FROM pg_shdepend s JOIN reach a ON a.oid = s.refobjid
       CROSS JOIN LATERAL pg_identify_object(s.classid, s.objid, 0) o
 WHERE s.deptype = 'o' AND s.refclassid = 'pg_authid'::regclass AND s.classid <> 'pg_largeobject'::regclass
   AND (s.dbid = 0 OR s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
   AND COALESCE(o.schema, '') !~ '^pg_(toast_)?temp' AND o.identity IS NOT NULL AND o.identity !~ '^pg_temp'
 GROUP BY o.identity, o.type";

const LARGE_OBJECTS: &str = "SELECT quote_ident(pg_get_userbyid(l.lomowner)),
       format('%s large objects belong to this role: every user of this role can read and change all of them.', count(*)),
       format('REASSIGN OWNED BY %I TO CURRENT_USER; REVOKE EXECUTE ON FUNCTION lo_create(oid), lo_creat(int), lo_from_bytea(oid, bytea), '
              'lo_put(oid, bigint, bytea) FROM PUBLIC; -- such data then is in a table with row-level security', pg_get_userbyid(l.lomowner))
  FROM pg_largeobject_metadata l WHERE l.lomowner IN (SELECT oid FROM end_user)
 GROUP BY l.lomowner";

const SCHEMA_CREATE: &str = "SELECT quote_ident(n.nspname),
       format('%s may CREATE tables without policies in it, and functions that others may call by mistake.', string_agg(DISTINCT a.name, ', ')),
       format('REVOKE CREATE ON SCHEMA %I FROM ', n.nspname) || $GRANTEES[COALESCE(n.nspacl, acldefault('n', n.nspowner))] || ';',
       CASE WHEN n.nspowner IN (SELECT oid FROM reach) THEN format('ALTER SCHEMA %I OWNER TO CURRENT_USER;', n.nspname) END
  FROM pg_namespace n JOIN reach a ON has_schema_privilege(a.oid, n.oid, 'CREATE')
 WHERE n.nspname NOT IN ('information_schema', 'auth') AND n.nspname !~ '^pg_'
 GROUP BY n.oid, n.nspname, n.nspowner, n.nspacl";

const DATABASE_CREATE: &str = "SELECT quote_ident(d.datname),
       format('%s may create schemas, publications and trusted extensions in it.', string_agg(DISTINCT a.name, ', ')),
       format('REVOKE CREATE ON DATABASE %I FROM ', d.datname) || $GRANTEES[COALESCE(d.datacl, acldefault('d', d.datdba))] || ';',
       CASE WHEN d.datdba IN (SELECT oid FROM reach) THEN format('ALTER DATABASE %I OWNER TO CURRENT_USER;', d.datname) END
  FROM pg_database d JOIN reach a ON has_database_privilege(a.oid, d.oid, 'CREATE')
 WHERE d.datname = current_database()
 GROUP BY d.oid, d.datname, d.datdba, d.datacl";

/// What end users will have on objects that do not exist yet. A new table has no row-level security.
const DEFAULT_PRIVILEGES: &str = "SELECT 'DEFAULT PRIVILEGES ' || d.target || ' ON ' || d.kinds,
       format('%s will have %s on each %s that %s creates%s%s.', w.names, w.privileges, lower(left(d.kinds, -1)), quote_ident(d.creator),
              CASE WHEN d.schema IS NULL THEN '' ELSE ' in ' || quote_ident(d.schema) END,
              CASE d.kinds WHEN 'TABLES' THEN ', before row-level security is enabled on it' ELSE '' END),
       format('ALTER DEFAULT PRIVILEGES %s REVOKE %s ON %s FROM %s; -- each new one then needs a GRANT', d.target, w.privileges, d.kinds, w.names)
  FROM (SELECT a.defaclacl AS acl, a.defaclrole AS role, r.rolname AS creator, n.oid AS namespace, n.nspname AS schema,
               CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' ELSE 'SCHEMAS' END AS kinds,
               format('FOR ROLE %I', r.rolname) || CASE WHEN n.oid IS NULL THEN '' ELSE format(' IN SCHEMA %I', n.nspname) END AS target
          FROM pg_default_acl a JOIN pg_roles r ON r.oid = a.defaclrole LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
         WHERE a.defaclobjtype IN ('r', 'n')) d
       CROSS JOIN LATERAL (
           SELECT string_agg(DISTINCT COALESCE(quote_ident(g.rolname), 'PUBLIC'), ', '), string_agg(DISTINCT x.privilege_type, ', ')
             FROM aclexplode(d.acl) x LEFT JOIN pg_roles g ON g.oid = x.grantee
            WHERE x.grantee <> d.role AND (x.grantee = 0 OR x.grantee IN (SELECT oid FROM reach))
              AND (d.kinds = 'TABLES' OR x.privilege_type = 'CREATE')) w (names, privileges)
 WHERE w.names <> '' AND (d.namespace IS NULL
        OR EXISTS (SELECT FROM reach p WHERE has_schema_privilege(p.oid, d.namespace, 'USAGE')))";

const PG_STAT_STATEMENTS_READABLE: &str = "SELECT c.oid::regclass::text,
       format('%s may read it: all end users share one role, so each user sees the statements of every user, with their literals.',
              string_agg(DISTINCT a.name, ', ')),
       format('REVOKE ALL ON %s FROM ', c.oid::regclass) || $GRANTEES[c.relacl] || ';'
  FROM pg_extension e JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
       JOIN pg_class c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND c.relname = e.extname
       JOIN reach a ON has_table_privilege(a.oid, c.oid, 'SELECT') AND has_schema_privilege(a.oid, c.relnamespace, 'USAGE')
 WHERE e.extname IN ('pg_stat_statements', 'pg_stat_monitor')
 GROUP BY c.oid, c.relacl";

/// The roles of end users, and PUBLIC, that have a privilege by an access control list, which takes the place of `$ACL`.
const GRANTEES: &str = "(SELECT string_agg(DISTINCT COALESCE(quote_ident(r.rolname), 'PUBLIC'), ', ')
          FROM aclexplode($ACL) x LEFT JOIN pg_roles r ON r.oid = x.grantee
         WHERE x.grantee = 0 OR x.grantee IN (SELECT oid FROM reach))";

pub fn inspect(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    for (finding, sql) in [
        (Finding::DefinerFunction, DEFINER_FUNCTION),
        (Finding::DblinkExecutable, DBLINK_EXECUTABLE),
        (Finding::OwnedObject, OWNED_OBJECT),
        (Finding::LargeObjects, LARGE_OBJECTS),
        (Finding::SchemaCreate, SCHEMA_CREATE),
        (Finding::DatabaseCreate, DATABASE_CREATE),
        (Finding::DefaultPrivileges, DEFAULT_PRIVILEGES),
        (Finding::PgStatStatementsReadable, PG_STAT_STATEMENTS_READABLE),
    ] {
        let (before, after) = GRANTEES.split_once("$ACL").unwrap_or_default();
        catalog.find(finding, &sql.replace("$GRANTEES[", before).replace(']', after), rows)?;
    }
    Ok(())
}
