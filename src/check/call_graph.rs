//! What the functions of the application call, and which of them depend on the identity.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use pgrx::pg_sys::Oid;
use pgrx::prelude::*;

use crate::check::catalog_query::Catalog;
use crate::check::eval::writable::UserClaims;
use crate::check::functions::{self, DependentRelation, Edge, Function, Loaded};
use crate::check::source_text::{Call, Source};
use crate::check::tree_calls;
use crate::pg::memory::Scratch;
use crate::pg::sql_types::StoredTree;

/// All functions, with what each depends on.
///
/// A node is a function, or what a call in a source text may mean. The calls of the latter are those functions, so that many
/// calls of a name that many functions have are no more edges than there are calls and functions.
pub struct CallGraph {
    pub all: Vec<Function>,
    by_oid: HashMap<Oid, usize>,
    /// The calls of each node, the functions first.
    calls: Vec<Vec<Edge>>,
    /// The nodes that call each node.
    callers: Vec<Vec<usize>>,
    /// The views over the identity.
    views: HashSet<Oid>,
    /// What each node reads of the session, itself or through others.
    reads: Vec<Option<Vec<u8>>>,
}

impl CallGraph {
    pub fn load(catalog: &Catalog<'_>) -> spi::Result<CallGraph> {
        let Loaded {
            functions: all,
            bodies,
            relations,
        } = functions::load(catalog)?;
        let by_oid = all
            .iter()
            .enumerate()
            .map(|(index, function)| (function.oid, index))
            .collect();
        let mut graph = CallGraph {
            all,
            by_oid,
            calls: Vec::new(),
            callers: Vec::new(),
            views: relations
                .iter()
                .filter(|it| !it.is_by_policies)
                .map(|it| it.oid)
                .collect(),
            reads: Vec::new(),
        };
        graph.connect(&bodies, &relations);
        graph.spread();
        Ok(graph)
    }

    /// Finds the calls and reads of each function.
    fn connect(&mut self, bodies: &[Option<StoredTree>], relations: &[DependentRelation]) {
        let mut by_name: HashMap<&[u8], Vec<&DependentRelation>> = HashMap::new();
        for relation in relations {
            by_name.entry(&relation.name).or_default().push(relation);
        }
        let by_oid: HashMap<Oid, &DependentRelation> = relations.iter().map(|it| (it.oid, it)).collect();
        let mut meanings = Meanings::of(&self.all);
        let mut scratch = Scratch::new("pg_session_jwt: the body of a function");
        for (index, body) in bodies.iter().enumerate() {
            check_for_interrupts!();
            let function = &self.all[index];
            let (session, names_user_claim, mut read, calls) = if let Some(body) = body {
                let tree = scratch.run(|arena| tree_calls::of_stored(arena, body));
                let read = tree.relations.iter().filter_map(|oid| by_oid.get(oid).copied());
                (
                    tree.reads,
                    tree.names_user_claim,
                    read.collect::<Vec<_>>(),
                    self.edges(&tree),
                )
            } else {
                let source = &function.source;
                let read = source.relations.iter().flat_map(|name| {
                    let named = by_name.get(name.name.as_slice()).map_or(&[][..], Vec::as_slice);
                    let is_same =
                        |it: &&&DependentRelation| name.schema.as_ref().is_none_or(|schema| *schema == it.schema);
                    named.iter().filter(is_same).copied()
                });
                (
                    source.reads,
                    source.names_user_claim,
                    read.collect(),
                    meanings.calls(&self.all, source),
                )
            };
            read.sort_by_key(|it| it.oid.to_u32());
            read.dedup_by_key(|it| it.oid);
            // A function that runs as its owner usually bypasses row-level security.
            let is_dependent = |it: &&&DependentRelation| !it.is_by_policies || !function.is_definer;
            let of_relation = read
                .iter()
                .find(is_dependent)
                .map(|it| [it.schema.as_slice(), b".", it.name.as_slice()].concat());
            let reads = session.map(|it| it.as_bytes().to_vec()).or(of_relation);
            let read = read.iter().map(|it| it.oid).collect();
            let function = &mut self.all[index];
            function.reads = function.reads.take().or(reads);
            function.relations = read;
            function.names_user_claim = names_user_claim;
            function.source = Source::default();
            self.calls.push(calls);
        }
        self.calls.extend(meanings.nodes);
    }

    /// The calls of a tree.
    pub fn edges(&self, tree: &tree_calls::TreeCalls) -> Vec<Edge> {
        let edge = |call: &tree_calls::TreeCall| {
            let to = *self.by_oid.get(&call.function)?;
            Some(Edge {
                to,
                is_constant: call.is_constant,
            })
        };
        tree.calls.iter().filter_map(edge).collect()
    }

    /// Whether there is a function of the application.
    pub fn has_application(&self) -> bool {
        self.all.iter().any(|function| !function.is_reader)
    }

    /// The functions of the application that a tree calls.
    pub fn calls_of_application(&self, tree: &tree_calls::TreeCalls) -> Vec<usize> {
        let calls = self.edges(tree).into_iter().map(|call| call.to);
        calls.filter(|to| !self.all[*to].is_reader).collect()
    }

    /// Finds what each function reads through others, from the callees to their callers.
    fn spread(&mut self) {
        self.callers = vec![Vec::new(); self.calls.len()];
        for (index, calls) in self.calls.iter().enumerate() {
            for call in calls {
                self.callers[call.to].push(index);
            }
        }
        self.reads = self.all.iter().map(|function| function.reads.clone()).collect();
        self.reads.resize(self.calls.len(), None);
        let mut changed: VecDeque<usize> = (0..self.all.len())
            .filter(|index| self.reads[*index].is_some())
            .collect();
        while let Some(index) = changed.pop_front() {
            check_for_interrupts!();
            for caller in &self.callers[index] {
                if self.reads[*caller].is_none() {
                    self.reads[*caller] = self.reads[index].clone();
                    changed.push_back(*caller);
                }
            }
        }
    }

    /// What a function of the application reads of the session; None for one that reads nothing.
    pub fn reads(&self, index: usize) -> Option<&[u8]> {
        self.reads[index].as_deref().filter(|_| !self.all[index].is_reader)
    }

    /// The functions that name claims which their user can write, and those of the application that read the identity;
    /// themselves or through others.
    pub fn user_claims(&self) -> UserClaims {
        let named = (0..self.all.len()).filter(|index| self.all[*index].names_user_claim);
        let readers = (0..self.all.len()).filter(|index| self.reads(*index).is_some());
        let oid = |index: usize| self.all[index].oid;
        UserClaims {
            functions: self.callers_of(&named.collect()).into_iter().map(oid).collect(),
            own_readers: readers.map(oid).collect(),
        }
    }

    /// Whether a tree reads the identity: itself, by a function or from a view.
    pub fn is_of_identity(&self, tree: &tree_calls::TreeCalls) -> bool {
        tree.reads.is_some()
            || self.edges(tree).iter().any(|call| self.reads[call.to].is_some())
            || tree
                .relations
                .iter()
                .any(|relation| self.is_view_over_identity(*relation))
    }

    pub fn is_view_over_identity(&self, relation: Oid) -> bool {
        self.views.contains(&relation)
    }

    /// The relations that some calls read for a role, each with the role that reads it.
    pub fn relations_read(&self, calls: &[usize], role: Oid) -> Vec<(Oid, Oid)> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        let mut next: Vec<(usize, Oid)> = calls.iter().map(|call| (*call, role)).collect();
        while let Some((index, role)) = next.pop() {
            check_for_interrupts!();
            let function = self.all.get(index);
            let role = function.filter(|it| it.is_definer).map_or(role, |it| it.owner);
            if seen.insert((index, role)) {
                let relations = function.map_or(&[][..], |it| &it.relations);
                found.extend(relations.iter().map(|relation| (*relation, role)));
                next.extend(self.calls[index].iter().map(|call| (call.to, role)));
            }
        }
        found
    }

    /// The functions that call one of these, themselves or through others; these included.
    pub fn callers_of(&self, functions: &HashSet<usize>) -> HashSet<usize> {
        let mut found = functions.clone();
        let mut next: Vec<usize> = functions.iter().copied().collect();
        while let Some(index) = next.pop() {
            check_for_interrupts!();
            next.extend(self.callers[index].iter().filter(|caller| found.insert(**caller)));
        }
        found.retain(|index| *index < self.all.len());
        found
    }

    /// The calls that follow from some calls.
    pub fn all_calls(&self, first: Vec<Edge>) -> Vec<Edge> {
        let mut found = first;
        let mut seen = HashSet::new();
        let mut at = 0;
        while let Some(edge) = found.get(at) {
            check_for_interrupts!();
            if seen.insert(edge.to) {
                let further = &self.calls[edge.to];
                found.extend(further);
            }
            at += 1;
        }
        found
    }
}

/// What the calls of source texts may mean: a node for each, whose calls are the functions.
struct Meanings {
    by_name: HashMap<Vec<u8>, Vec<usize>>,
    known: HashMap<Call, usize>,
    functions: usize,
    nodes: Vec<Vec<Edge>>,
}

impl Meanings {
    fn of(functions: &[Function]) -> Meanings {
        let mut by_name: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (index, function) in functions.iter().enumerate() {
            by_name.entry(function.name.clone()).or_default().push(index);
        }
        Meanings {
            by_name,
            known: HashMap::new(),
            functions: functions.len(),
            nodes: Vec::new(),
        }
    }

    /// The calls of a source text.
    fn calls(&mut self, functions: &[Function], source: &Source) -> Vec<Edge> {
        let mut nodes = BTreeSet::new();
        for call in &source.calls {
            let Some(named) = self.by_name.get(&call.function.name) else {
                continue;
            };
            if let Some(node) = self.known.get(call) {
                nodes.insert((*node, call.is_constant));
                continue;
            }
            let fitting = || named.iter().copied().filter(|to| functions[*to].may_be(call));
            // Schema `auth` is rarely in the search path.
            let is_own = fitting().any(|to| !functions[to].is_reader);
            let meant = fitting().filter(|to| !is_own || !functions[*to].is_reader);
            let is_constant = call.is_constant;
            self.nodes.push(meant.map(|to| Edge { to, is_constant }).collect());
            let node = self.functions + self.nodes.len() - 1;
            self.known.insert(call.clone(), node);
            nodes.insert((node, is_constant));
        }
        let edges = nodes.into_iter();
        edges.map(|(to, is_constant)| Edge { to, is_constant }).collect()
    }
}
