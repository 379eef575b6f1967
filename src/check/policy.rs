//! A policy of the application, and its expressions.

use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;

use crate::check::catalog_query;
use crate::check::catalog_query::Catalog;
use crate::check::eval::expression::Expression;
use crate::check::eval::facts;
use crate::check::eval::reads::Reader;
use crate::check::eval::table::{Links, Table};
use crate::check::eval::writable::UserClaims;
use crate::check::messages::{self, Message};
use crate::check::who::Who;
use crate::pg::catalog;
use crate::pg::memory::Arena;
use crate::pg::sql_types::StoredTree;

/// The policies that apply to end users, with the roles of these and the commands that each may use, and the columns of the
/// table that are never NULL.
const POLICIES: &str = "SELECT p.polrelid, quote_ident(p.polname) || ' ON ' || r.name, p.polcmd::text, p.polpermissive,
       l.is_too_large, CASE WHEN NOT l.is_too_large THEN p.polqual END,
       CASE WHEN NOT l.is_too_large THEN p.polwithcheck END, u.roles, u.privileges,
       (SELECT array_agg(a.attnum) FROM pg_attribute a
         WHERE a.attrelid = p.polrelid AND a.attnotnull AND a.attnum > 0 AND NOT EXISTS (
                   SELECT FROM pg_constraint c
                    WHERE c.conrelid = a.attrelid AND c.contype = 'n' AND NOT c.convalidated AND a.attnum = ANY (c.conkey)))
  FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
       CROSS JOIN LATERAL (
           SELECT COALESCE(greatest(octet_length(p.polqual::text), octet_length(p.polwithcheck::text)) > $MAX_BYTES, false)
       ) l (is_too_large)
       JOIN (
           SELECT i.oid, array_agg(g.who ORDER BY g.name) AS roles, array_agg(g.privileges ORDER BY g.name) AS privileges
             FROM pg_policy i JOIN (
                      SELECT m.oid, e.oid AS who, e.rolname AS name, string_agg(DISTINCT m.privilege, ' ') AS privileges
                        FROM end_user e JOIN may m ON m.who = e.oid
                       GROUP BY m.oid, e.oid, e.rolname) g ON g.oid = i.polrelid
            WHERE 0::oid = ANY (i.polroles)
               OR EXISTS (SELECT FROM reach a WHERE a.who = g.who AND a.oid = ANY (i.polroles))
            GROUP BY i.oid) u ON u.oid = p.oid
 ORDER BY p.polrelid, p.polname";

/// The size of one expression as PostgreSQL stores it, which is 500 bytes for a comparison of a column with a number.
/// PostgreSQL answers no cancel while it parses the text.
const MAX_BYTES: usize = 128 << 20;

/// The applicable commands, as in pg_policy, and their privileges.
pub const COMMANDS: [(u8, &str); 4] = [(b'r', "SELECT"), (b'a', "INSERT"), (b'w', "UPDATE"), (b'd', "DELETE")];

/// A clause of a policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clause {
    Using,
    WithCheck,
}

impl Clause {
    pub fn name(self) -> &'static str {
        match self {
            Clause::Using => "USING",
            Clause::WithCheck => "WITH CHECK",
        }
    }
}

pub struct Policy {
    pub table: pg_sys::Oid,
    pub object: Vec<u8>,
    command: u8,
    pub is_permissive: bool,
    is_too_large: bool,
    using: Option<StoredTree>,
    check: Option<StoredTree>,
    /// The roles of end users that it applies to.
    pub users: Vec<Who>,
    /// The columns of the table that are never NULL.
    not_null: Vec<i16>,
}

/// What is known about the functions and tables that policies read.
pub struct Known {
    pub readers: Vec<Reader>,
    pub user_claims: UserClaims,
    pub links: Links,
}

/// A policy with its parsed expressions.
pub struct Parsed<'t> {
    pub policy: &'t Policy,
    /// The reason why the policy is not evaluated.
    pub obstacle: Option<Message>,
    pub using: Option<Expression<'t>>,
    pub check: Option<Expression<'t>>,
}

/// Passes each policy to `see`, those of one table one after the other.
pub fn each(catalog: &Catalog<'_>, mut see: impl FnMut(Policy)) -> spi::Result<()> {
    catalog.each(&POLICIES.replace("$MAX_BYTES", &MAX_BYTES.to_string()), |row| {
        see(Policy::of(row)?);
        Ok(())
    })
}

/// The roles of a policy, from two arrays.
fn users(row: &SpiHeapTupleData<'_>) -> spi::Result<Vec<Who>> {
    let roles: Vec<pg_sys::Oid> = row.get(8)?.unwrap_or_default();
    let privileges: Vec<String> = row.get(9)?.unwrap_or_default();
    let all = roles.into_iter().zip(privileges);
    Ok(all
        .map(|(role, privileges)| Who {
            role,
            name: catalog::role_name(role).unwrap_or_default(),
            privileges,
        })
        .collect())
}

impl Policy {
    /// Whether it has neither USING nor WITH CHECK.
    pub fn is_unconditional(&self) -> bool {
        !self.is_too_large && self.using.is_none() && self.check.is_none()
    }

    fn of(row: &SpiHeapTupleData<'_>) -> spi::Result<Policy> {
        let text = |column| catalog_query::text_or_null(row, column);
        Ok(Policy {
            table: row.get(1)?.unwrap_or(pg_sys::InvalidOid),
            object: text(2)?.unwrap_or_default(),
            command: text(3)?.unwrap_or_default().first().copied().unwrap_or(b'*'),
            is_permissive: row.get(4)?.unwrap_or(true),
            is_too_large: row.get(5)?.unwrap_or(true),
            using: row.get(6)?,
            check: row.get(7)?,
            users: users(row)?,
            not_null: row.get(10)?.unwrap_or_default(),
        })
    }

    /// Whether each role that this policy applies to is one of the other's.
    pub fn applies_only_with(&self, other: &Policy) -> bool {
        self.users
            .iter()
            .all(|user| other.users.iter().any(|it| it.role == user.role))
    }

    pub fn parse<'t>(&'t self, known: &'t Known, arena: Arena<'t>) -> Parsed<'t> {
        let Known {
            readers,
            user_claims,
            links,
        } = known;
        let table = Table {
            oid: self.table,
            not_null: &self.not_null,
            links,
        };
        let stored = [&self.using, &self.check].into_iter().flatten();
        let is_too_deep = stored.map(|tree| tree.as_c_str().to_bytes()).any(facts::is_too_deep);
        let tree = |stored: &Option<StoredTree>| match stored {
            Some(stored) if !is_too_deep => Some(Expression::new(readers, user_claims, table, arena.parse(stored))),
            _ => None,
        };
        let (using, check) = (tree(&self.using), tree(&self.check));
        let is_too_deep = is_too_deep || [&using, &check].into_iter().flatten().any(|it| it.facts.is_too_deep);
        Parsed {
            policy: self,
            obstacle: match () {
                () if self.is_too_large => Some(messages::TOO_LARGE),
                () if is_too_deep => Some(messages::TOO_DEEP),
                () => None,
            },
            using,
            check,
        }
    }
}

impl<'t> Parsed<'t> {
    /// The expressions that PostgreSQL evaluates for a command, as far as the policy has them.
    pub fn clauses(&self, command: u8) -> Vec<(Clause, &Expression<'t>)> {
        if self.policy.command != b'*' && self.policy.command != command {
            return Vec::new();
        }
        let using = self.using.as_ref().map(|it| (Clause::Using, it));
        let check = self
            .check
            .as_ref()
            .or(self.using.as_ref())
            .map(|it| (Clause::WithCheck, it));
        let evaluated = match command {
            b'a' => [None, check],
            b'w' => [using, check],
            _ => [using, None],
        };
        evaluated.into_iter().flatten().collect()
    }
}
