//! Policies, with the relations that they read and the roles to which they apply.
//!
//! Sub-selects read with the policies for SELECT, as the same role, and those of a view as its owner, unless it has
//! `security_invoker`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys::Oid;
use pgrx::prelude::*;

use crate::check::call_graph::CallGraph;
use crate::check::catalog_query;
use crate::check::catalog_query::Catalog;
use crate::check::policy::Clause;
use crate::check::tree_calls;
use crate::check::view_graph::ViewGraph;
use crate::pg::memory::Scratch;
use crate::pg::sql_types::{StoredTree, TextBytes};

/// The roles whose policies matter.
const ACTOR: &str = ", actor AS (
    SELECT r.oid, r.rolsuper OR r.rolbypassrls AS bypasses FROM pg_roles r
     WHERE r.oid IN (SELECT oid FROM end_user) OR r.oid IN (SELECT owner FROM relation WHERE kind = 'v' AND NOT invoker)
)";

const POLICIES: &str =
    " SELECT p.polrelid, quote_ident(p.polname) || ' ON ' || r.name, p.polcmd::text, p.polpermissive,
       CASE WHEN octet_length(p.polqual::text) <= $MAX_BYTES THEN p.polqual END,
       CASE WHEN octet_length(p.polwithcheck::text) <= $MAX_BYTES THEN p.polwithcheck END,
       ARRAY(SELECT a.oid FROM actor a WHERE 0::oid = ANY (p.polroles)
                 OR EXISTS (SELECT FROM unnest(p.polroles) u (oid) WHERE pg_has_role(a.oid, u.oid, 'USAGE')))
  FROM pg_policy p JOIN relation r ON r.oid = p.polrelid AND r.rls";

/// Tables, with the roles to which their policies apply.
const TABLES: &str = " SELECT r.oid, r.name::text, ARRAY(
           SELECT a.oid FROM actor a WHERE NOT a.bypasses AND (r.forced OR NOT pg_has_role(a.oid, r.owner, 'USAGE')))
  FROM relation r WHERE r.rls";

const MAX_BYTES: usize = 16 << 20;

/// What matters of an expression: the relations that its sub-selects and its functions read.
pub struct Expression {
    pub has_sub_selects: bool,
    pub relations: Vec<Oid>,
    /// The functions that it calls.
    calls: Vec<usize>,
}

pub struct Policy {
    pub object: Vec<u8>,
    command: u8,
    is_permissive: bool,
    using: Option<Expression>,
    check: Option<Expression>,
    actors: Vec<Oid>,
}

/// A relation, with the role that reads it.
pub type Read = (Oid, Oid);

/// Calls of functions, with the role that makes them.
type Calls = (Vec<usize>, Oid);

pub enum Relation {
    Table { actors: Vec<Oid> },
    View { owner: Option<Oid>, parts: Vec<Oid> },
}

pub struct PolicyGraph<'f> {
    functions: &'f CallGraph,
    policies: HashMap<Oid, Vec<Policy>>,
    pub relations: HashMap<Oid, (Vec<u8>, Relation)>,
    /// What some functions read for a role: many policies call the same ones.
    read_by: RefCell<HashMap<Calls, Rc<[Read]>>>,
}

impl<'f> PolicyGraph<'f> {
    pub fn load(catalog: &Catalog<'_>, functions: &'f CallGraph, views: &ViewGraph) -> spi::Result<PolicyGraph<'f>> {
        let mut graph = PolicyGraph {
            functions,
            policies: HashMap::new(),
            relations: HashMap::new(),
            read_by: RefCell::default(),
        };
        let mut scratch = Scratch::new("pg_session_jwt: the sub-selects of a policy");
        let sql = format!("{ACTOR}{POLICIES}").replace("$MAX_BYTES", &MAX_BYTES.to_string());
        catalog.each(&sql, |row| {
            let text = |column| catalog_query::text(row, column);
            let mut expression = |column| {
                let stored = row.get::<StoredTree>(column)?;
                Ok::<_, spi::Error>(stored.map(|stored| {
                    let text = stored.as_c_str().to_bytes();
                    // Most policies need not be parsed: they read no table, and without functions they call none.
                    let is_simple = !functions.has_application() && !contains(text, b"{RANGETBLENTRY");
                    if is_simple {
                        return Expression {
                            has_sub_selects: contains(text, b"{SUBLINK"),
                            relations: Vec::new(),
                            calls: Vec::new(),
                        };
                    }
                    let tree = scratch.run(|arena| tree_calls::of_stored(arena, &stored));
                    Expression {
                        has_sub_selects: tree.has_sub_selects,
                        calls: functions.calls_of_application(&tree),
                        relations: tree.relations,
                    }
                }))
            };
            let policy = Policy {
                object: text(2)?,
                command: text(3)?.first().copied().unwrap_or(b'*'),
                is_permissive: row.get(4)?.unwrap_or(true),
                using: expression(5)?,
                check: expression(6)?,
                actors: row.get(7)?.unwrap_or_default(),
            };
            graph
                .policies
                .entry(row.get(1)?.unwrap_or_default())
                .or_default()
                .push(policy);
            Ok(())
        })?;
        catalog.each(&format!("{ACTOR}{TABLES}"), |row| {
            let name = row.get::<TextBytes>(2)?.map_or_else(Vec::new, |text| text.0);
            let actors = row.get(3)?.unwrap_or_default();
            let table = Relation::Table { actors };
            graph.relations.insert(row.get(1)?.unwrap_or_default(), (name, table));
            Ok(())
        })?;
        for (oid, view) in views.all().filter(|(_, it)| it.is_view()) {
            let (owner, parts) = (view.reader(None), view.parts.clone());
            graph
                .relations
                .insert(oid, (view.name.clone(), Relation::View { owner, parts }));
        }
        Ok(graph)
    }

    /// The name of a table with row-level security, or of a view.
    pub fn name(&self, relation: Oid) -> Option<Vec<u8>> {
        Some(self.relations.get(&relation)?.0.clone())
    }

    /// Whether any policy reads a relation.
    pub fn reads_relations(&self) -> bool {
        let reads = |it: &Expression| !it.relations.is_empty() || !it.calls.is_empty();
        let mut all = self.policies.values().flatten();
        all.any(|policy| [&policy.using, &policy.check].into_iter().flatten().any(reads))
    }

    /// What an expression reads for a role, also through functions; these come first.
    pub fn reads(&self, expression: &Expression, actor: Oid) -> Vec<Read> {
        let own = expression.relations.iter().map(|read| (*read, actor));
        if expression.calls.is_empty() {
            return own.collect();
        }
        let key = (expression.calls.clone(), actor);
        let mut known = self.read_by.borrow_mut();
        let by_functions = known
            .entry(key)
            .or_insert_with(|| self.functions.relations_read(&expression.calls, actor).into());
        by_functions.iter().copied().chain(own).collect()
    }

    /// The expressions that PostgreSQL adds to a command. Commands that change rows usually read them, too, and then the
    /// policies for SELECT apply.
    pub fn applied(&self, table: Oid, actor: Oid, command: u8) -> Vec<(&Policy, &Expression)> {
        let clauses: &[(Clause, u8)] = match command {
            b'a' => &[(Clause::WithCheck, b'a')],
            b'w' => &[(Clause::Using, b'w'), (Clause::WithCheck, b'w'), (Clause::Using, b'r')],
            b'd' => &[(Clause::Using, b'd'), (Clause::Using, b'r')],
            _ => &[(Clause::Using, b'r')],
        };
        let mut all = Vec::new();
        for (clause, command) in clauses {
            let policies = self.policies.get(&table).map_or(&[][..], Vec::as_slice);
            let applied: Vec<(&Policy, &Expression)> = policies
                .iter()
                .filter(|policy| policy.command == b'*' || policy.command == *command)
                .filter(|policy| policy.actors.contains(&actor))
                .filter_map(|policy| {
                    let expression = match clause {
                        Clause::Using => policy.using.as_ref(),
                        Clause::WithCheck => policy.check.as_ref().or(policy.using.as_ref()),
                    };
                    Some((policy, expression?))
                })
                .collect();
            // Without a permissive policy the condition is the constant false.
            if applied.iter().any(|(policy, _)| policy.is_permissive) {
                all.extend(applied);
            }
        }
        all
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
