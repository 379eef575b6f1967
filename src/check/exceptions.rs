//! The findings that comments allow: `COMMENT ON … IS 'auth.check: allow <finding> because …'`.
//!
//! Only its owner may comment on an object. A comment allows nothing if the session of an end user could have written it.

use std::collections::HashMap;

use pgrx::spi;

use crate::check::allowance::{self, Allowance};
use crate::check::catalog_query;
use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::children::positions;
use crate::check::finding::Finding;

/// All comments for `auth.check()`, and whether no session of an end user can write them. It can by the roles that it can
/// become, by RESET ROLE, and as a login that inherits their privileges. Roles with CREATEROLE may comment on roles, and
/// superusers on everything. Of a comment that such a session can write only the beginning is read, so that it cannot
/// fill the memory with rows.
const COMMENTS: &str = ", actor AS (
    SELECT oid FROM reach
     UNION
    SELECT r.oid FROM pg_roles l JOIN pg_roles r ON pg_has_role(l.oid, r.oid, 'MEMBER')
     WHERE l.rolcanlogin AND NOT l.rolsuper
       AND (l.oid IN (SELECT oid FROM holder) OR EXISTS (SELECT FROM end_user e WHERE pg_has_role(l.oid, e.oid, 'USAGE')))
), comment (kind, object, owner, text) AS (
    SELECT 'object', c.oid::regclass::text, c.relowner, d.description
      FROM pg_description d JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid AND d.objsubid = 0
     UNION ALL
    SELECT 'object', quote_ident(p.polname) || ' ON ' || c.oid::regclass, c.relowner, d.description
      FROM pg_description d JOIN pg_policy p ON d.classoid = 'pg_policy'::regclass AND p.oid = d.objoid
           JOIN pg_class c ON c.oid = p.polrelid
     UNION ALL
    SELECT 'object', p.oid::regprocedure::text, p.proowner, d.description
      FROM pg_description d JOIN pg_proc p ON d.classoid = 'pg_proc'::regclass AND p.oid = d.objoid
     UNION ALL
    SELECT 'schema', quote_ident(n.nspname), n.nspowner, d.description
      FROM pg_description d JOIN pg_namespace n ON d.classoid = 'pg_namespace'::regclass AND n.oid = d.objoid
     UNION ALL
    SELECT 'role', quote_ident(r.rolname), 0, d.description
      FROM pg_shdescription d JOIN pg_roles r ON d.classoid = 'pg_authid'::regclass AND r.oid = d.objoid
     UNION ALL
    SELECT 'database', quote_ident(b.datname), b.datdba, d.description
      FROM pg_shdescription d JOIN pg_database b ON d.classoid = 'pg_database'::regclass AND b.oid = d.objoid
     WHERE b.datname = current_database()
) SELECT c.kind, c.object, CASE WHEN s.counts THEN c.text ELSE left(c.text, 1000) END, s.counts
    FROM comment c CROSS JOIN LATERAL (SELECT NOT EXISTS (SELECT FROM actor a WHERE a.oid = c.owner)
         AND NOT (c.kind = 'role' AND EXISTS (SELECT FROM actor a JOIN pg_roles r ON r.oid = a.oid WHERE r.rolcreaterole))
         AND NOT EXISTS (SELECT FROM end_user e JOIN pg_roles r ON r.rolsuper AND pg_has_role(e.oid, r.oid, 'MEMBER'))
         ) s (counts)
   WHERE strpos(c.text, 'auth.check:') > 0";

/// An object that a comment is on: its kind, and its name as in the rows of `auth.check()`.
type Subject = (Kind, Vec<u8>);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Object,
    Schema,
    Role,
    Database,
}

struct Exception {
    subject: Subject,
    allowance: Allowance,
    counts: bool,
    is_used: bool,
}

/// Marks the rows that comments allow, and reports the comments that allow nothing.
pub fn apply(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    let (mut exceptions, mut malformed) = (Vec::new(), Vec::new());
    let mut database = Vec::new();
    catalog.each("SELECT quote_ident(current_database())", |row| {
        database = catalog_query::text(row, 1)?;
        Ok(())
    })?;
    catalog.each(COMMENTS, |row| {
        let text = |column| catalog_query::text(row, column);
        let kind = match text(1)?.as_slice() {
            b"schema" => Kind::Schema,
            b"role" => Kind::Role,
            b"database" => Kind::Database,
            _ => Kind::Object,
        };
        let (name, comment, counts) = (text(2)?, text(3)?, row.get(4)?.unwrap_or(false));
        for part in allowance::of_comment(&comment) {
            let subject = (kind, name.clone());
            match part {
                Ok(allowance) => exceptions.push(Exception {
                    subject,
                    allowance,
                    counts,
                    is_used: false,
                }),
                Err(part) => malformed.push((subject, part)),
            }
        }
        Ok(())
    })?;
    allow(&mut exceptions, &database, rows);
    let sees_all = rows.iter().all(|row| row.finding != Finding::NotChecked);
    let unused = exceptions
        .iter()
        .filter_map(|it| Some((&it.subject, it.problem(sees_all)?)));
    let malformed = malformed.iter().map(|(subject, part)| {
        let problem = [
            b"The form is \"allow <finding> because <reason>\", and the comment has \"",
            &part[..],
            b"\".",
        ];
        (subject, problem.concat())
    });
    let mut unused: Vec<FindingRow> = unused
        .chain(malformed)
        .map(|((kind, name), problem)| {
            let kind: &[u8] = match kind {
                Kind::Object => b"",
                Kind::Schema => b"SCHEMA ",
                Kind::Role => b"ROLE ",
                Kind::Database => b"DATABASE ",
            };
            let remedy = "Correct this part of the comment, or remove it.";
            FindingRow::new(Finding::ExceptionUnused, [kind, name].concat(), problem, remedy)
        })
        .collect();
    unused.dedup_by(|a, b| a.object == b.object && a.problem == b.problem);
    rows.extend(unused);
    Ok(())
}

fn allow(exceptions: &mut [Exception], database: &[u8], rows: &mut [FindingRow]) {
    let mut of_subject: HashMap<Subject, Vec<usize>> = HashMap::new();
    for (index, exception) in exceptions.iter().enumerate() {
        of_subject.entry(exception.subject.clone()).or_default().push(index);
    }
    for row in rows {
        for subject in subjects(row, database) {
            for index in of_subject.get(&subject).into_iter().flatten() {
                let exception = &mut exceptions[*index];
                if exception.allowance.finding == row.finding.name().as_bytes() {
                    exception.is_used = true;
                    if exception.counts && row.allowed_because.is_none() {
                        row.allowed_because = Some(exception.allowance.reason.clone());
                    }
                }
            }
        }
    }
}

impl Exception {
    /// Why it allows nothing; None if it does.
    fn problem(&self, sees_all: bool) -> Option<Vec<u8>> {
        let name = &self.allowance.finding;
        let reason: &[u8] = match () {
            () if !Finding::ALL.iter().any(|finding| finding.name().as_bytes() == name) => {
                b", which is not the name of a finding."
            }
            () if !self.counts => b", but a session of an end user could have written it: it allows nothing.",
            () if !self.is_used && sees_all => b", which is not found here: it would hide the finding when it comes.",
            () => return None,
        };
        Some([&b"The comment allows "[..], name, reason].concat())
    }
}

/// The objects whose comments can allow a row, the nearest first. Findings about settings and providers belong to the
/// database.
fn subjects(row: &FindingRow, database: &[u8]) -> Vec<Subject> {
    let object = row.object.as_slice();
    match row.finding {
        Finding::RoleAttribute
        | Finding::RoleMembership
        | Finding::RoleLogin
        | Finding::RoleSetting
        | Finding::LoginRolePrivileged
        | Finding::LoginShared
        | Finding::LoginInherits
        | Finding::IdentityScope
        | Finding::LargeObjects => {
            let name = object.strip_prefix(b"ROLE ").unwrap_or(object);
            let end = positions(name, b" IN DATABASE ").next().unwrap_or(name.len());
            vec![(Kind::Role, name[..end].to_vec())]
        }
        Finding::SchemaCreate | Finding::AuthSchemaCreate => vec![(Kind::Schema, object.to_vec())],
        Finding::IdentityForgeable
        | Finding::DblinkExecutable
        | Finding::IdentitySetting
        | Finding::DatabaseCreate
        | Finding::ClaimsMode
        | Finding::LibraryNotPreloaded
        | Finding::ClientKeys
        | Finding::SettingUnusable
        | Finding::ProviderWithoutKeys
        | Finding::ProviderWithoutRoles
        | Finding::ProviderRoleMissing
        | Finding::ProviderWithoutAudience
        | Finding::ProviderAlgorithmUnused
        | Finding::LoginWithoutAudience
        | Finding::IssuerShared
        | Finding::DefaultPrivileges
        | Finding::LoggedParameters
        | Finding::LoggedStatements
        | Finding::PgStatStatementsTracksUtility
        | Finding::LiteralsStored
        | Finding::PostgresOutdated
        | Finding::RoleMissing => vec![(Kind::Database, database.to_vec())],
        _ => {
            // A policy's table, the table of a column, and the table at the top of a group.
            let on = positions(object, b" ON ").map(|at| &object[at + 4..]);
            let column = positions(object, b" (").map(|at| &object[..at]);
            let parts = std::iter::once(object).chain(on).chain(column);
            let names = parts.map(|part| part.strip_prefix(b"children of ").unwrap_or(part));
            names.map(|name| (Kind::Object, name.to_vec())).collect()
        }
    }
}
