//! Row-level security policies that hold end users to less than they seem to.
//!
//! Permissive policies are looked at one by one, each together with the restrictive ones that narrow it. A policy without
//! USING or WITH CHECK lets nothing through; where WITH CHECK is missing PostgreSQL checks new rows by USING.

use std::collections::BTreeMap;
use std::ffi::CString;

use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys::{self, Node};
use pgrx::prelude::*;

use super::catalog::{Catalog, Row, Words};
use super::columns;
use super::facts::{self, Reader};
use super::finding::Finding;
use super::verdict::{verdict, words};

/// The functions that give the identity.
const READERS: &str = "SELECT p.oid, p.proname::text IN ('session', 'jwt')
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
                                 AND d.refclassid = 'pg_extension'::regclass
       JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pg_session_jwt'
 WHERE p.pronargs = 0 AND p.proname::text IN ('user_id', 'uid', 'session', 'jwt', 'organization', 'organization_id', 'role', 'email')";

/// The policies that apply to end users, for the commands that they may use. What is open to `anonymous` is open to
/// everybody: there it is no surprise that nobody is known.
const POLICIES: &str = "SELECT p.polrelid, quote_ident(p.polname) || ' ON ' || r.name, p.polcmd::text, p.polpermissive,
       p.polqual::text, p.polwithcheck::text, u.known, u.anonymous, u.roles
  FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
       CROSS JOIN LATERAL (
           SELECT COALESCE(string_agg(DISTINCT m.privilege, ' ') FILTER (WHERE e.rolname <> 'anonymous'), '') AS known,
                  COALESCE(string_agg(DISTINCT m.privilege, ' ') FILTER (WHERE e.rolname = 'anonymous'), '') AS anonymous,
                  COALESCE(array_agg(DISTINCT e.oid), '{}') AS roles
             FROM end_user e JOIN may m ON m.who = e.oid AND m.oid = p.polrelid
            WHERE 0::oid = ANY (p.polroles)
               OR EXISTS (SELECT FROM reach a WHERE a.who = e.oid AND a.oid = ANY (p.polroles))) u
 WHERE u.known <> '' OR u.anonymous <> ''
 ORDER BY p.polrelid, p.polname";

struct Policy {
    table: pg_sys::Oid,
    object: Vec<u8>,
    command: u8,
    is_permissive: bool,
    using: Option<CString>,
    check: Option<CString>,
    /// What roles other than `anonymous` may do, and what it may.
    known: String,
    anonymous: String,
    roles: Vec<pg_sys::Oid>,
}

/// A policy with its expressions as trees, null where there are none.
struct Parsed<'a> {
    policy: &'a Policy,
    using: *mut Node,
    check: *mut Node,
}

const COMMANDS: [(u8, &str); 4] = [(b'r', "SELECT"), (b'a', "INSERT"), (b'w', "UPDATE"), (b'd', "DELETE")];

pub fn look(catalog: &Catalog<'_>, rows: &mut Vec<Row>) -> spi::Result<()> {
    let mut readers = Vec::new();
    catalog.each(READERS, |row| {
        if let (Some(oid), Some(gives_json_null)) = (row.get(1)?, row.get(2)?) {
            readers.push(Reader { oid, gives_json_null });
        }
        Ok(())
    })?;
    let mut policies = Vec::new();
    catalog.each(POLICIES, |row| {
        let words = |place| Ok::<_, spi::Error>(row.get::<Words>(place)?.map(|words| words.0));
        let tree = |place| Ok::<_, spi::Error>(words(place)?.and_then(|text| CString::new(text).ok()));
        policies.push(Policy {
            table: row.get(1)?.unwrap_or(pg_sys::InvalidOid),
            object: words(2)?.unwrap_or_default(),
            command: words(3)?.unwrap_or_default().first().copied().unwrap_or(b'*'),
            is_permissive: row.get(4)?.unwrap_or(true),
            using: tree(5)?,
            check: tree(6)?,
            known: row.get(7)?.unwrap_or_default(),
            anonymous: row.get(8)?.unwrap_or_default(),
            roles: row.get(9)?.unwrap_or_default(),
        });
        Ok(())
    })?;
    let mut compared = Vec::new();
    // Freed for each table: a tree is many times as large as its text.
    let mut memory = PgMemoryContexts::new("pg_session_jwt: policies of a table");
    for of_table in policies.chunk_by(|a, b| a.table == b.table) {
        // SAFETY: nothing in it is used after the closure.
        unsafe {
            memory.switch_to(|_| {
                let parsed: Vec<Parsed<'_>> = of_table.iter().map(Policy::parse).collect();
                for policy in &parsed {
                    look_at(&readers, policy, &parsed, rows, &mut compared);
                }
            });
        }
        // SAFETY: as above.
        unsafe { memory.reset() };
    }
    columns::look(catalog, &compared, rows)
}

impl Policy {
    fn parse(&self) -> Parsed<'_> {
        let tree = |text: &Option<CString>| match text {
            // SAFETY: what this server has written; it is made in the current memory context.
            Some(text) => unsafe { pg_sys::stringToNode(text.as_ptr()) }.cast(),
            None => std::ptr::null_mut(),
        };
        Parsed {
            policy: self,
            using: tree(&self.using),
            check: tree(&self.check),
        }
    }
}

/// What kind of expression an answer is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Clause {
    Using,
    WithCheck,
}

impl Parsed<'_> {
    /// The expressions that a command asks, of those that are there.
    fn clauses(&self, command: u8) -> Vec<(Clause, *mut Node)> {
        if self.policy.command != b'*' && self.policy.command != command {
            return Vec::new();
        }
        let check = if self.check.is_null() { self.using } else { self.check };
        let asked = match command {
            b'a' => vec![(Clause::WithCheck, check)],
            b'w' => vec![(Clause::Using, self.using), (Clause::WithCheck, check)],
            _ => vec![(Clause::Using, self.using)],
        };
        asked.into_iter().filter(|(_, tree)| !tree.is_null()).collect()
    }
}

fn look_at(
    readers: &[Reader],
    it: &Parsed<'_>,
    all: &[Parsed<'_>],
    rows: &mut Vec<Row>,
    compared: &mut Vec<columns::Column>,
) {
    let object = &it.policy.object;
    let facts = [it.using, it.check].map(|tree| facts::of(readers, tree, false));
    if facts.iter().any(|facts| facts.is_too_deep) {
        rows.push(Row::new(
            Finding::NotChecked,
            object,
            "Its expression is nested too deeply to be looked into.",
            "Write it in fewer levels, or put a part of it into a function.",
        ));
        return;
    }
    if facts.iter().any(|facts| facts.reads_setting) {
        rows.push(Row::new(
            Finding::PolicyReadsSetting,
            object,
            "It reads a setting with current_setting(), which whoever can send SQL can set.",
            "Use auth.user_id() or auth.session(), which give what was verified.",
        ));
    }
    if !it.policy.is_permissive {
        return;
    }
    let mut found: BTreeMap<(Finding, Vec<u8>), Vec<String>> = BTreeMap::new();
    for (is_anonymous, granted) in [(false, &it.policy.known), (true, &it.policy.anonymous)] {
        for (command, name) in COMMANDS
            .iter()
            .filter(|(_, name)| granted.split(' ').any(|may| may == *name))
        {
            for (clause, tree) in it.clauses(*command) {
                let narrowing = narrowing(all, it.policy, *command, clause);
                for (finding, object) in verdict(readers, tree, &narrowing, *command != b'r', is_anonymous) {
                    let clause = if clause == Clause::Using { "USING" } else { "WITH CHECK" };
                    let place = format!("{clause} for {name}");
                    let places = found
                        .entry((finding, object.unwrap_or(&it.policy.object).to_vec()))
                        .or_default();
                    if !places.contains(&place) {
                        places.push(place);
                    }
                }
            }
        }
    }
    for ((finding, object), places) in found {
        let (problem, remedy) = words(finding);
        rows.push(Row::new(
            finding,
            object,
            format!("{problem} ({}).", places.join(", ")),
            remedy,
        ));
    }
    columns::of_policy(readers, it.using, it.policy.table, compared);
}

/// The restrictive policies that count wherever this one does, and what they ask.
fn narrowing<'a>(all: &'a [Parsed<'a>], policy: &Policy, command: u8, clause: Clause) -> Vec<(&'a [u8], *mut Node)> {
    let counts = |other: &&Parsed<'_>| {
        !other.policy.is_permissive && policy.roles.iter().all(|role| other.policy.roles.contains(role))
    };
    let asked = |other: &'a Parsed<'a>| {
        let clauses = other.clauses(command).into_iter();
        clauses
            .filter(move |(of, _)| *of == clause)
            .map(|(_, tree)| (other.policy.object.as_slice(), tree))
    };
    all.iter().filter(counts).flat_map(asked).collect()
}
