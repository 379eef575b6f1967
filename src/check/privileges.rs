//! The privileges of end users other than reading and writing tables.

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use pgrx::spi;

const DEFINER_FUNCTION: &str = "SELECT p.oid::regprocedure::text,
       format('%s may run it as %s%s.', string_agg(DISTINCT a.name, ', '), quote_ident(pg_get_userbyid(p.proowner)),
              CASE WHEN EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c ~ '^search_path=') THEN ''
              ELSE ', and it does not set search_path' END),
       format('REVOKE EXECUTE ON ROUTINE %s FROM %s, PUBLIC; unless it checks auth.user_id() itself.', p.oid::regprocedure,
              string_agg(DISTINCT a.name, ', '))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN reach a ON has_function_privilege(a.oid, p.oid, 'EXECUTE')
 WHERE p.prosecdef AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND has_schema_privilege(a.oid, n.oid, 'USAGE')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
 GROUP BY p.oid, p.proowner, p.proconfig";

const DBLINK_EXECUTABLE: &str = "SELECT 'dblink',
       string_agg(DISTINCT a.name, ', ') || ' may connect from here to other servers, and to this one as any role that it trusts.',
       'DROP EXTENSION dblink; or REVOKE EXECUTE on its functions from PUBLIC.'
  FROM pg_extension e JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
       JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
       JOIN reach a ON has_function_privilege(a.oid, p.oid, 'EXECUTE') AND has_schema_privilege(a.oid, p.pronamespace, 'USAGE')
 WHERE e.extname = 'dblink' AND p.proname ~ '^dblink_connect'
 GROUP BY e.oid";

/// Objects except temporary ones, which every session may have, and large objects, which have a separate finding.
const OWNED_OBJECT: &str = "SELECT o.identity,
       format('This %s belongs to %s: its owner bypasses row-level security, and may change and drop it.', o.type,
              string_agg(DISTINCT quote_ident(pg_get_userbyid(s.refobjid)), ', ')),
       'ALTER ... OWNER TO a role that no end user has.'
  FROM pg_shdepend s JOIN reach a ON a.oid = s.refobjid
       CROSS JOIN LATERAL pg_identify_object(s.classid, s.objid, 0) o
 WHERE s.deptype = 'o' AND s.refclassid = 'pg_authid'::regclass AND s.classid <> 'pg_largeobject'::regclass
   AND (s.dbid = 0 OR s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
   AND COALESCE(o.schema, '') !~ '^pg_(toast_)?temp' AND o.identity IS NOT NULL AND o.identity !~ '^pg_temp'
 GROUP BY o.identity, o.type";

const LARGE_OBJECTS: &str = "SELECT quote_ident(pg_get_userbyid(l.lomowner)),
       format('%s large objects belong to this role: every user of this role can read and change all of them.', count(*)),
       'Keep such data in a table with row-level security, and REVOKE EXECUTE on lo_create, lo_creat, lo_from_bytea and lo_put from PUBLIC.'
  FROM pg_largeobject_metadata l WHERE l.lomowner IN (SELECT oid FROM end_user)
 GROUP BY l.lomowner";

const SCHEMA_CREATE: &str = "SELECT quote_ident(n.nspname),
       format('%s may CREATE tables without policies in it, and functions that others may call by mistake.', string_agg(DISTINCT a.name, ', ')),
       format('REVOKE CREATE ON SCHEMA %I FROM %s, PUBLIC;', n.nspname, string_agg(DISTINCT a.name, ', '))
  FROM pg_namespace n JOIN reach a ON has_schema_privilege(a.oid, n.oid, 'CREATE')
 WHERE n.nspname NOT IN ('information_schema', 'auth') AND n.nspname !~ '^pg_'
 GROUP BY n.oid, n.nspname";

const DATABASE_CREATE: &str = "SELECT quote_ident(d.datname),
       format('%s may create schemas, publications and trusted extensions in it.', string_agg(DISTINCT a.name, ', ')),
       format('REVOKE CREATE ON DATABASE %I FROM %s, PUBLIC;', d.datname, string_agg(DISTINCT a.name, ', '))
  FROM pg_database d JOIN reach a ON has_database_privilege(a.oid, d.oid, 'CREATE')
 WHERE d.datname = current_database()
 GROUP BY d.datname";

const PG_STAT_STATEMENTS_READABLE: &str = "SELECT c.oid::regclass::text,
       format('%s may read it: all end users share one role, so each user sees the statements of every user, with their literals.',
              string_agg(DISTINCT a.name, ', ')),
       format('REVOKE ALL ON %s FROM %s, PUBLIC;', c.oid::regclass, string_agg(DISTINCT a.name, ', '))
  FROM pg_extension e JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
       JOIN pg_class c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND c.relname = 'pg_stat_statements'
       JOIN reach a ON has_table_privilege(a.oid, c.oid, 'SELECT') AND has_schema_privilege(a.oid, c.relnamespace, 'USAGE')
 WHERE e.extname = 'pg_stat_statements'
 GROUP BY c.oid";

pub fn inspect(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    catalog.find(Finding::DefinerFunction, DEFINER_FUNCTION, rows)?;
    catalog.find(Finding::DblinkExecutable, DBLINK_EXECUTABLE, rows)?;
    catalog.find(Finding::OwnedObject, OWNED_OBJECT, rows)?;
    catalog.find(Finding::LargeObjects, LARGE_OBJECTS, rows)?;
    catalog.find(Finding::SchemaCreate, SCHEMA_CREATE, rows)?;
    catalog.find(Finding::DatabaseCreate, DATABASE_CREATE, rows)?;
    catalog.find(Finding::PgStatStatementsReadable, PG_STAT_STATEMENTS_READABLE, rows)
}
