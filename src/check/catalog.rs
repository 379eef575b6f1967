//! How the check-up reads the catalogs: one query for each finding, read-only, under the `search_path` of `auth.check()`,
//! which is pg_catalog and nothing before it. So names need no schema here, and `regclass` gives one to all others.

use pgrx::memcxt::PgMemoryContexts;
use pgrx::prelude::*;
use pgrx::spi::{SpiClient, SpiHeapTupleData};

use crate::check::finding::Finding;

/// A text in the database's encoding.
pub struct Words(pub Vec<u8>);

impl FromDatum for Words {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the caller's promise: a text that is not null, packed or not.
        let text = unsafe { pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr()) };
        // SAFETY: as just returned; it is copied at once.
        Some(Words(unsafe { pgrx::varlena::varlena_to_byte_slice(text) }.to_vec()))
    }
}

impl IntoDatum for Words {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        crate::pg::sql_types::text(&self.0)
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::TEXTOID
    }
}

/// A row of `auth.check()`; texts in the database's encoding.
pub struct Row {
    pub finding: Finding,
    pub object: Vec<u8>,
    pub problem: Vec<u8>,
    pub remedy: Vec<u8>,
}

impl Row {
    pub fn new(finding: Finding, object: impl AsRef<[u8]>, problem: impl AsRef<[u8]>, remedy: impl AsRef<[u8]>) -> Row {
        Row {
            finding,
            object: object.as_ref().to_vec(),
            problem: problem.as_ref().to_vec(),
            remedy: remedy.as_ref().to_vec(),
        }
    }
}

/// Before each query: the roles of end users ($1 are their names), what they can become, and the relations of the
/// application. What an extension brought is that extension's business.
const COMMON: &str = "WITH RECURSIVE end_user AS (
    SELECT oid, rolname FROM pg_roles WHERE rolname::text = ANY ($1)
), reach AS (
    SELECT e.oid AS who, quote_ident(e.rolname) AS name, r.oid FROM end_user e JOIN pg_roles r ON pg_has_role(e.oid, r.oid, 'MEMBER')
     WHERE NOT r.rolsuper AND NOT (SELECT s.rolsuper FROM pg_roles s WHERE s.oid = e.oid)
), holder (who, oid) AS (
    SELECT e.oid, m.member FROM end_user e JOIN pg_auth_members m ON m.roleid = e.oid AND $MAY_SET
     UNION
    SELECT h.who, m.member FROM holder h JOIN pg_auth_members m ON m.roleid = h.oid AND $MAY_SET
), relation AS (
    SELECT c.oid, c.oid::regclass AS name, c.relkind AS kind, c.relrowsecurity AS rls, c.relforcerowsecurity AS forced,
           c.relowner AS owner, c.relnamespace AS schema, COALESCE((
               SELECT bool_or(option_value::bool) FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_invoker'
           ), false) AS invoker
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
       AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), may AS (
    SELECT r.oid, p.who, p.name AS who_name, a.privilege
      FROM relation r, reach p, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) a (privilege)
     WHERE has_schema_privilege(p.oid, r.schema, 'USAGE')
       AND CASE a.privilege WHEN 'DELETE' THEN has_table_privilege(p.oid, r.oid, 'DELETE')
           ELSE has_any_column_privilege(p.oid, r.oid, a.privilege) END
), granted AS (
    SELECT r.*, string_agg(DISTINCT m.who_name, ', ') AS who, string_agg(DISTINCT m.privilege, ', ') AS privileges
      FROM relation r JOIN may m ON m.oid = r.oid
     GROUP BY r.oid, r.name, r.kind, r.rls, r.forced, r.owner, r.schema, r.invoker
) ";

/// Whether a membership lets its member SET ROLE; before PostgreSQL 16 each did.
const MAY_SET: &str = if cfg!(feature = "pg15") { "true" } else { "m.set_option" };

/// The catalogs, and whom the check-up is about.
pub struct Catalog<'a> {
    pub client: &'a SpiClient<'a>,
    /// The names of the roles that end users have.
    pub users: Vec<String>,
}

impl Catalog<'_> {
    /// The rows of a query that begins after the common part.
    pub fn each(&self, sql: &str, mut see: impl FnMut(&SpiHeapTupleData<'_>) -> spi::Result<()>) -> spi::Result<()> {
        let sql = format!("{COMMON}{sql}").replace("$MAY_SET", MAY_SET);
        let rows = self.client.select(sql.as_str(), None, &[self.users.clone().into()])?;
        // For what a row's values are unpacked into: it is copied, and freed with the row.
        let mut memory = PgMemoryContexts::new("pg_session_jwt: a row of the catalogs");
        for row in rows {
            check_for_interrupts!();
            // SAFETY: what is taken out of a row is a copy in Rust's own memory.
            unsafe { memory.switch_to(|_| see(&row)) }?;
            // SAFETY: as above.
            unsafe { memory.reset() };
        }
        Ok(())
    }

    /// What a query says that gives one boolean; NULL is no.
    pub fn ask(&self, sql: &str) -> spi::Result<bool> {
        let mut is_so = false;
        self.each(sql, |row| {
            is_so = row.get(1)?.unwrap_or(false);
            Ok(())
        })?;
        Ok(is_so)
    }

    /// The findings of a query that gives object, problem and remedy.
    pub fn find(&self, finding: Finding, sql: &str, rows: &mut Vec<Row>) -> spi::Result<()> {
        self.each(sql, |row| {
            let text = |place| Ok::<_, spi::Error>(row.get::<Words>(place)?.map_or_else(Vec::new, |words| words.0));
            rows.push(Row::new(finding, text(1)?, text(2)?, text(3)?));
            Ok(())
        })
    }
}
