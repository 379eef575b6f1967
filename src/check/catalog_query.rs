//! Queries of the catalogs: one for each finding, and read-only.
//!
//! `auth.check()` sets `search_path` to pg_catalog. Names of that schema are therefore written without it, and `regclass`
//! shows the schema of all others.

use pgrx::prelude::*;
use pgrx::spi::{SpiClient, SpiHeapTupleData};

use crate::check::finding::Finding;
use crate::check::messages::Message;
use crate::pg::memory::Scratch;
use crate::pg::sql_types::TextBytes;

/// A row of `auth.check()`, with texts in the database's encoding.
pub struct FindingRow {
    pub finding: Finding,
    pub object: Vec<u8>,
    pub problem: Vec<u8>,
    pub remedy: Vec<u8>,
}

impl FindingRow {
    pub fn new(
        finding: Finding,
        object: impl AsRef<[u8]>,
        problem: impl AsRef<[u8]>,
        remedy: impl AsRef<[u8]>,
    ) -> FindingRow {
        FindingRow {
            finding,
            object: object.as_ref().to_vec(),
            problem: problem.as_ref().to_vec(),
            remedy: remedy.as_ref().to_vec(),
        }
    }

    pub fn with(finding: Finding, object: impl AsRef<[u8]>, message: Message) -> FindingRow {
        FindingRow::new(finding, object, message.problem, message.remedy)
    }
}

/// The part before each query: the roles of end users, the roles that they can become, and the relations of the
/// application. $1 are the names of the roles of end users. Relations of extensions are left out.
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

/// Whether a membership permits SET ROLE; before PostgreSQL 16 each one did.
const MAY_SET: &str = if cfg!(feature = "pg15") { "true" } else { "m.set_option" };

/// The catalogs, and the roles that are checked.
pub struct Catalog<'a> {
    pub client: &'a SpiClient<'a>,
    /// The names of the roles of end users.
    pub users: Vec<String>,
}

impl Catalog<'_> {
    /// Passes each row of a query to `see`. The query begins after the common part.
    pub fn each(&self, sql: &str, mut see: impl FnMut(&SpiHeapTupleData<'_>) -> spi::Result<()>) -> spi::Result<()> {
        let sql = format!("{COMMON}{sql}").replace("$MAY_SET", MAY_SET);
        let rows = self.client.select(sql.as_str(), None, &[self.users.clone().into()])?;
        // The values of a row are unpacked into it, and copied from there.
        let mut scratch = Scratch::new("pg_session_jwt: a row of the catalogs");
        for row in rows {
            check_for_interrupts!();
            scratch.run(|_| see(&row))?;
        }
        Ok(())
    }

    /// The result of a query for one boolean; NULL is false.
    pub fn is_true(&self, sql: &str) -> spi::Result<bool> {
        let mut is_so = false;
        self.each(sql, |row| {
            is_so = row.get(1)?.unwrap_or(false);
            Ok(())
        })?;
        Ok(is_so)
    }

    /// Adds the findings of a query for object, problem and remedy.
    pub fn find(&self, finding: Finding, sql: &str, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
        self.each(sql, |row| {
            let text = |column| Ok::<_, spi::Error>(row.get::<TextBytes>(column)?.map_or_else(Vec::new, |text| text.0));
            rows.push(FindingRow::new(finding, text(1)?, text(2)?, text(3)?));
            Ok(())
        })
    }
}
