//! Row-level security policies that hold end users to less than they seem to.
//!
//! Permissive policies are looked at one by one, each together with the restrictive ones that narrow it. A policy without
//! USING or WITH CHECK lets nothing through; where WITH CHECK is missing PostgreSQL checks new rows by USING.

use std::collections::{BTreeMap, HashSet};
use std::ffi::CString;

use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;

use crate::check::catalog::{Catalog, Row, Words};
use crate::check::columns::Column;
use crate::check::expression::Expression;
use crate::check::facts::Reader;
use crate::check::finding::Finding;
use crate::check::verdict::{verdict, words};
use crate::check::{columns, facts};

/// The functions that give the identity.
const READERS: &str = "SELECT p.oid, p.proname::text IN ('session', 'jwt')
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
                                 AND d.refclassid = 'pg_extension'::regclass
       JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pg_session_jwt'
 WHERE p.pronargs = 0 AND p.proname::text IN ('user_id', 'uid', 'session', 'jwt', 'organization', 'organization_id', 'role', 'email')";

/// The policies that apply to end users, for the commands that they may use. What is open to `anonymous` is open to
/// everybody: there it is no surprise that nobody is known.
const POLICIES: &str = "SELECT p.polrelid, quote_ident(p.polname) || ' ON ' || r.name, p.polcmd::text, p.polpermissive,
       l.is_too_large, CASE WHEN NOT l.is_too_large THEN p.polqual::text END,
       CASE WHEN NOT l.is_too_large THEN p.polwithcheck::text END, u.known, u.anonymous, u.roles
  FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
       CROSS JOIN LATERAL (
           SELECT COALESCE(greatest(octet_length(p.polqual::text), octet_length(p.polwithcheck::text)) > $MAX_BYTES, false)
       ) l (is_too_large)
       CROSS JOIN LATERAL (
           SELECT COALESCE(string_agg(DISTINCT m.privilege, ' ') FILTER (WHERE e.rolname <> 'anonymous'), '') AS known,
                  COALESCE(string_agg(DISTINCT m.privilege, ' ') FILTER (WHERE e.rolname = 'anonymous'), '') AS anonymous,
                  COALESCE(array_agg(DISTINCT e.oid), '{}') AS roles
             FROM end_user e JOIN may m ON m.who = e.oid AND m.oid = p.polrelid
            WHERE 0::oid = ANY (p.polroles)
               OR EXISTS (SELECT FROM reach a WHERE a.who = e.oid AND a.oid = ANY (p.polroles))) u
 WHERE u.known <> '' OR u.anonymous <> ''
 ORDER BY p.polrelid, p.polname";

/// What PostgreSQL writes for one expression, 500 bytes for a comparison of a column with a number. It takes no cancel
/// while it reads that.
const MAX_BYTES: usize = 128 << 20;

struct Policy {
    table: pg_sys::Oid,
    object: Vec<u8>,
    command: u8,
    is_permissive: bool,
    is_too_large: bool,
    using: Option<CString>,
    check: Option<CString>,
    /// What roles other than `anonymous` may do, and what it may.
    known: String,
    anonymous: String,
    roles: Vec<pg_sys::Oid>,
}

/// A policy with its expressions, as far as there are any.
struct Parsed<'a> {
    policy: &'a Policy,
    /// Why it is not looked into.
    obstacle: Option<(&'static str, &'static str)>,
    using: Option<Expression<'a>>,
    check: Option<Expression<'a>>,
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
    // The policies of one table at a time: a tree is many times as large as its text.
    let mut of_table: Vec<Policy> = Vec::new();
    let mut compared = HashSet::new();
    catalog.each(&POLICIES.replace("$MAX_BYTES", &MAX_BYTES.to_string()), |row| {
        let policy = Policy::of(row)?;
        if of_table.first().is_some_and(|first| first.table != policy.table) {
            look_at_table(&readers, &of_table, rows, &mut compared);
            of_table.clear();
        }
        of_table.push(policy);
        Ok(())
    })?;
    look_at_table(&readers, &of_table, rows, &mut compared);
    columns::look(catalog, &compared, rows)
}

fn look_at_table(readers: &[Reader], policies: &[Policy], rows: &mut Vec<Row>, compared: &mut HashSet<Column>) {
    let mut memory = PgMemoryContexts::new("pg_session_jwt: policies of a table");
    // SAFETY: nothing that is made in it is used after the closure.
    unsafe {
        memory.switch_to(|_| {
            let parsed: Vec<Parsed<'_>> = policies.iter().map(|policy| policy.parse(readers)).collect();
            for policy in &parsed {
                look_at(readers, policy, &parsed, rows, compared);
            }
        });
    }
}

impl Policy {
    fn of(row: &SpiHeapTupleData<'_>) -> spi::Result<Policy> {
        let words = |place| Ok::<_, spi::Error>(row.get::<Words>(place)?.map(|words| words.0));
        let tree = |place| Ok::<_, spi::Error>(words(place)?.and_then(|text| CString::new(text).ok()));
        Ok(Policy {
            table: row.get(1)?.unwrap_or(pg_sys::InvalidOid),
            object: words(2)?.unwrap_or_default(),
            command: words(3)?.unwrap_or_default().first().copied().unwrap_or(b'*'),
            is_permissive: row.get(4)?.unwrap_or(true),
            is_too_large: row.get(5)?.unwrap_or(true),
            using: tree(6)?,
            check: tree(7)?,
            known: row.get(8)?.unwrap_or_default(),
            anonymous: row.get(9)?.unwrap_or_default(),
            roles: row.get(10)?.unwrap_or_default(),
        })
    }

    fn parse<'a>(&'a self, readers: &'a [Reader]) -> Parsed<'a> {
        let texts = [&self.using, &self.check];
        let is_too_deep = texts
            .into_iter()
            .flatten()
            .any(|text| facts::is_too_deep(text.to_bytes()));
        let tree = |text: &Option<CString>| match text {
            Some(text) if !is_too_deep => {
                // SAFETY: what this server has written; it is made in the current memory context.
                let tree = unsafe { pg_sys::stringToNode(text.as_ptr()) };
                Some(Expression::new(readers, tree.cast()))
            }
            _ => None,
        };
        let (using, check) = (tree(&self.using), tree(&self.check));
        let is_too_deep = is_too_deep || [&using, &check].into_iter().flatten().any(|it| it.facts.is_too_deep);
        Parsed {
            policy: self,
            obstacle: match () {
                () if self.is_too_large => Some(TOO_LARGE),
                () if is_too_deep => Some(TOO_DEEP),
                () => None,
            },
            using,
            check,
        }
    }
}

/// Problem and remedy of a policy that is not looked into.
const TOO_DEEP: (&str, &str) = (
    "Its expression is nested too deeply to be looked into.",
    "Write it in fewer levels, or put a part of it into a function.",
);

const TOO_LARGE: (&str, &str) = (
    "Its expression is too large to be looked into.",
    "Keep what it lists in a table, or put a part of it into a function.",
);

/// What kind of expression an answer is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Clause {
    Using,
    WithCheck,
}

impl Parsed<'_> {
    /// The expressions that a command asks, of those that are there.
    fn clauses(&self, command: u8) -> Vec<(Clause, &Expression<'_>)> {
        if self.policy.command != b'*' && self.policy.command != command {
            return Vec::new();
        }
        let using = self.using.as_ref().map(|it| (Clause::Using, it));
        let check = self
            .check
            .as_ref()
            .or(self.using.as_ref())
            .map(|it| (Clause::WithCheck, it));
        let asked = match command {
            b'a' => [None, check],
            b'w' => [using, check],
            _ => [using, None],
        };
        asked.into_iter().flatten().collect()
    }
}

fn look_at(
    readers: &[Reader],
    it: &Parsed<'_>,
    all: &[Parsed<'_>],
    rows: &mut Vec<Row>,
    compared: &mut HashSet<Column>,
) {
    let object = &it.policy.object;
    if let Some((problem, remedy)) = it.obstacle {
        rows.push(Row::new(Finding::NotChecked, object, problem, remedy));
        return;
    }
    let clauses = || [&it.using, &it.check].into_iter().flatten();
    if clauses().any(|clause| clause.facts.reads_setting) {
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
            for (clause, expression) in it.clauses(*command) {
                // Where a restrictive one is not looked into, that is said of it.
                let Some(narrowing) = narrowing(all, it.policy, *command, clause) else {
                    continue;
                };
                for (finding, object) in verdict(expression, &narrowing, *command != b'r', is_anonymous) {
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
    if let Some(using) = &it.using {
        columns::of_policy(readers, using.tree, it.policy.table, compared);
    }
}

/// The restrictive policies that count wherever this one does, and what they ask; None if one of them is not looked into.
fn narrowing<'a>(
    all: &'a [Parsed<'a>],
    policy: &Policy,
    command: u8,
    clause: Clause,
) -> Option<Vec<(&'a [u8], &'a Expression<'a>)>> {
    let mut narrowing = Vec::new();
    for other in all {
        check_for_interrupts!();
        if other.policy.is_permissive || !policy.roles.iter().all(|role| other.policy.roles.contains(role)) {
            continue;
        }
        if other.obstacle.is_some() {
            return None;
        }
        let clauses = other.clauses(command).into_iter().filter(|(of, _)| *of == clause);
        narrowing.extend(clauses.map(|(_, expression)| (other.policy.object.as_slice(), expression)));
    }
    Some(narrowing)
}
