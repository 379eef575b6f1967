//! Queries of the catalogs: one for each finding, and read-only.
//!
//! `auth.check()` sets `search_path` to pg_catalog. Names of that schema are therefore written without it, and `regclass`
//! shows the schema of all others.

use pgrx::prelude::*;
use pgrx::spi::{SpiClient, SpiHeapTupleData};

use crate::check::finding::{Finding, Severity};
use crate::check::messages::Message;
use crate::check::remedy;
use crate::pg::memory::Scratch;
use crate::pg::sql_types::TextBytes;

/// A row of `auth.check()`, with texts in the database's encoding.
pub struct FindingRow {
    pub finding: Finding,
    pub object: Vec<u8>,
    pub problem: Vec<u8>,
    pub remedy: Vec<u8>,
    /// The objects that it stands for.
    pub count: i64,
    /// Why a comment on the object allows it.
    pub allowed_because: Option<Vec<u8>>,
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
            count: 1,
            allowed_because: None,
        }
    }

    pub fn severity(&self) -> Severity {
        match self.allowed_because {
            Some(_) => Severity::Allowed,
            None => self.finding.severity(),
        }
    }

    pub fn with(finding: Finding, object: impl AsRef<[u8]>, message: Message) -> FindingRow {
        FindingRow::new(finding, object, message.problem, message.remedy)
    }
}

/// The part before each query: the roles of end users, the roles that they can become, and the relations of the
/// application. $1 are the names of the roles of end users. Relations of extensions are left out.
///
/// `grantee` has the names from which a privilege is to be revoked, and `membership` the statement that ends each one.
/// Memberships of predefined roles in others are not to be ended.
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
), grantee (oid, names) AS (
    SELECT c.oid, string_agg(DISTINCT COALESCE(quote_ident(r.rolname), 'PUBLIC'), ', ')
      FROM pg_class c CROSS JOIN LATERAL (
               SELECT grantee FROM aclexplode(c.relacl)
                UNION
               SELECT a.grantee FROM pg_attribute n CROSS JOIN LATERAL aclexplode(n.attacl) a
                WHERE n.attrelid = c.oid AND n.attacl IS NOT NULL
           ) a LEFT JOIN pg_roles r ON r.oid = a.grantee
     WHERE a.grantee <> c.relowner AND (a.grantee = 0 OR a.grantee IN (SELECT oid FROM reach))
     GROUP BY c.oid
), membership AS (
    SELECT m.member, m.roleid, m.admin_option, format('REVOKE %I FROM %I$GRANTED_BY;', r.rolname, g.rolname$GRANTOR) AS revocation,
           format('REVOKE ADMIN OPTION FOR %I FROM %I$GRANTED_BY;', r.rolname, g.rolname$GRANTOR) AS admin_revocation
      FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles g ON g.oid = m.member
     WHERE g.rolname !~ '^pg_'
) ";

/// Whether a membership permits SET ROLE; before PostgreSQL 16 each one did.
const MAY_SET: &str = if cfg!(feature = "pg15") { "true" } else { "m.set_option" };

/// From PostgreSQL 16 on a membership is revoked as the role that granted it.
const GRANTED_BY: [&str; 2] = if cfg!(feature = "pg15") {
    ["", ""]
} else {
    [" GRANTED BY %I", ", pg_get_userbyid(m.grantor)"]
};

/// The remedy where no grant on the object gives the privilege.
pub const BY_MEMBERSHIP: &[u8] = b"Revoke the membership that gives the privilege.";

/// A text of a row; None for NULL.
pub fn text_or_null(row: &SpiHeapTupleData<'_>, column: usize) -> spi::Result<Option<Vec<u8>>> {
    Ok(row.get::<TextBytes>(column)?.map(|text| text.0))
}

/// A text of a row; empty for NULL.
pub fn text(row: &SpiHeapTupleData<'_>, column: usize) -> spi::Result<Vec<u8>> {
    Ok(text_or_null(row, column)?.unwrap_or_default())
}

/// The catalogs, and the roles that are checked.
pub struct Catalog<'a> {
    pub client: &'a SpiClient<'a>,
    /// The names of the roles of end users.
    pub users: Vec<String>,
}

impl Catalog<'_> {
    /// Passes each row of a query to `see`. The query begins after the common part.
    pub fn each(&self, sql: &str, mut see: impl FnMut(&SpiHeapTupleData<'_>) -> spi::Result<()>) -> spi::Result<()> {
        let sql = format!("{COMMON}{sql}")
            .replace("$MAY_SET", MAY_SET)
            .replace("$GRANTED_BY", GRANTED_BY[0])
            .replace("$GRANTOR", GRANTED_BY[1]);
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

    /// Adds the findings of a query for object, problem and the choices of a remedy, of which some may be NULL.
    pub fn find(&self, finding: Finding, sql: &str, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
        self.each(sql, |row| {
            let text = |column| text(row, column);
            let mut choices = Vec::new();
            for column in 3..=row.columns() {
                choices.extend(row.get::<TextBytes>(column)?.map(|text| text.0));
            }
            if choices.is_empty() {
                choices.push(BY_MEMBERSHIP.to_vec());
            }
            rows.push(FindingRow::new(
                finding,
                text(1)?,
                text(2)?,
                remedy::of_choices(&choices),
            ));
            Ok(())
        })
    }
}
