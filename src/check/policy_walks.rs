//! Whether the policies of a table lead back to it.
//!
//! This follows the rewriter (rewriteHandler.c). A policy with any sub-select makes its table active; reading an active
//! table whose policies have a sub-select is an error, as is reading an active view.

use std::collections::HashMap;

use pgrx::pg_sys::Oid;
use pgrx::prelude::*;

use crate::check::policy_graph::{Expression, PolicyGraph, Read, Relation};
use crate::pg::nodes;

/// The relations that are read one after the other before a way is too long.
const MAX_RELATIONS: usize = 500;

/// A policy that makes a command fail, or a view that does.
pub struct Failure {
    pub object: Vec<u8>,
    /// The relations that lead back; none if the way is too long to be followed.
    pub path: Vec<Oid>,
    pub is_by_functions: bool,
}

pub struct PolicyWalks<'g> {
    graph: &'g PolicyGraph<'g>,
    /// What leads back to nothing, and is read by one role with everything on its way: the most relations of a way from it.
    ends: HashMap<Read, usize>,
    /// The same by functions, and for several roles.
    ends_by_functions: HashMap<Read, usize>,
}

/// One walk, from a relation and the role that reads it.
struct Walk<T> {
    active: Vec<T>,
    /// What leads back to nothing.
    done: HashMap<Read, usize>,
    is_too_long: bool,
}

impl<T> Walk<T> {
    fn from(active: Vec<T>) -> Walk<T> {
        Walk {
            active,
            done: HashMap::new(),
            is_too_long: false,
        }
    }

    /// The known number of relations from here on; also 0 if the walk is too long. So whether it is does not depend on what
    /// was read before.
    fn known(&mut self, read: Read, ends: Option<&HashMap<Read, usize>>) -> Option<usize> {
        let known = ends.and_then(|ends| ends.get(&read)).or(self.done.get(&read)).copied();
        let further = known.map_or(0, |count| count - 1);
        let is_too_long = self.active.len() + further > MAX_RELATIONS || nodes::is_too_deep();
        self.is_too_long |= is_too_long;
        if is_too_long { Some(0) } else { known }
    }

    /// Whether one role reads everything on the way.
    fn is_of(&self, role: Oid) -> bool {
        self.done.keys().all(|(_, of)| *of == role)
    }
}

impl<'g> PolicyWalks<'g> {
    pub fn on(graph: &'g PolicyGraph<'g>) -> PolicyWalks<'g> {
        PolicyWalks {
            graph,
            ends: HashMap::new(),
            ends_by_functions: HashMap::new(),
        }
    }

    /// The policies of a relation that make a command fail, or a view that does.
    pub fn failures(&mut self, relation: Oid, actor: Oid, command: u8) -> Vec<Failure> {
        let graph = self.graph;
        let mut found: Vec<Failure> = Vec::new();
        match graph.relations.get(&relation) {
            Some((_, Relation::Table { actors })) if actors.contains(&actor) => {
                let is_read = command == b'r';
                let of_reading = graph.applied(relation, actor, b'r');
                for (policy, expression) in graph.applied(relation, actor, command) {
                    let failure = |path, is_by_functions| Failure {
                        object: policy.object.clone(),
                        path,
                        is_by_functions,
                    };
                    // What leads back to the table then leads back to itself.
                    let is_of_reading = of_reading.iter().any(|(_, it)| std::ptr::eq(*it, expression));
                    for read in &expression.relations {
                        let path = self.way_back(*read, actor, vec![relation], is_of_reading);
                        found.extend(path.map(|path| failure(path, false)));
                    }
                    let is_known = found.iter().any(|it| it.object == policy.object);
                    if !is_known && let Some(way) = self.way_by_functions(relation, actor, expression, is_read) {
                        found.push(failure(way, true));
                    }
                }
            }
            // What a view reads as its caller fails as well where the caller reads it directly.
            Some((name, Relation::View { owner: Some(owner), .. })) => {
                let path = self.way_back(relation, *owner, Vec::new(), true);
                found.extend(path.map(|path| Failure {
                    object: name.clone(),
                    path,
                    is_by_functions: false,
                }));
            }
            _ => {}
        }
        found
    }

    /// The relations from `active` to an active one.
    fn way_back(&mut self, read: Oid, actor: Oid, active: Vec<Oid>, is_of_reading: bool) -> Option<Vec<Oid>> {
        let mut walk = Walk::from(active);
        // A condition of another command makes the table active, and what ends otherwise can lead back to it.
        let role = is_of_reading.then_some(actor);
        if self.count(read, actor, &mut walk, role).is_none() {
            return Some(walk.active);
        }
        if walk.is_too_long {
            return Some(Vec::new());
        }
        if walk.is_of(actor) {
            self.ends.extend(walk.done);
        }
        None
    }

    /// The most relations of a way from this one; None if one leads back to an active relation. The active ones then end with
    /// it. `role` is the one that has read all of them, if there is only one.
    fn count(&self, relation: Oid, actor: Oid, walk: &mut Walk<Oid>, role: Option<Oid>) -> Option<usize> {
        check_for_interrupts!();
        let (actor, reads) = match self.graph.relations.get(&relation) {
            Some((_, Relation::View { owner, parts })) => (owner.unwrap_or(actor), parts.clone()),
            Some((_, Relation::Table { actors })) if actors.contains(&actor) => {
                let applied = self.graph.applied(relation, actor, b'r');
                if !applied.iter().any(|(_, expression)| expression.has_sub_selects) {
                    return Some(0);
                }
                let reads = applied
                    .into_iter()
                    .flat_map(|(_, expression)| expression.relations.iter().copied());
                (actor, reads.collect())
            }
            _ => return Some(0),
        };
        if walk.active.contains(&relation) {
            walk.active.push(relation);
            return None;
        }
        let role = role.filter(|role| *role == actor);
        let ends = role.map(|_| &self.ends);
        if let Some(known) = walk.known((relation, actor), ends) {
            return Some(known);
        }
        walk.active.push(relation);
        let mut count = 1;
        for read in reads {
            count = count.max(1 + self.count(read, actor, walk, role)?);
        }
        walk.active.pop();
        walk.done.insert((relation, actor), count);
        Some(count)
    }

    /// The relations from a policy to one that is being read, also through functions. That is no error of the rewriter, but
    /// no row can be read.
    fn way_by_functions(&mut self, table: Oid, actor: Oid, policy: &Expression, is_read: bool) -> Option<Vec<Oid>> {
        let mut walk = Walk::from(if is_read { vec![(table, actor)] } else { Vec::new() });
        let mut reads = self.graph.reads(policy, actor).into_iter();
        if reads.any(|read| self.count_by_functions(read, &mut walk).is_none()) {
            let path = std::iter::once(table).filter(|_| !is_read);
            return Some(path.chain(walk.active.iter().map(|(relation, _)| *relation)).collect());
        }
        if walk.is_too_long {
            return Some(Vec::new());
        }
        self.ends_by_functions.extend(walk.done);
        None
    }

    /// The most relations of a way from this one; None if one leads back to a relation that is being read. The active ones
    /// then end with it.
    fn count_by_functions(&self, read: Read, walk: &mut Walk<Read>) -> Option<usize> {
        check_for_interrupts!();
        let (relation, actor) = read;
        let reads: Vec<Read> = match self.graph.relations.get(&relation) {
            Some((_, Relation::View { owner, parts })) => {
                parts.iter().map(|part| (*part, owner.unwrap_or(actor))).collect()
            }
            Some((_, Relation::Table { actors })) if actors.contains(&actor) => {
                let applied = self.graph.applied(relation, actor, b'r');
                let reads = applied.into_iter();
                reads
                    .flat_map(|(_, expression)| self.graph.reads(expression, actor))
                    .collect()
            }
            _ => return Some(0),
        };
        if walk.active.contains(&read) {
            walk.active.push(read);
            return None;
        }
        if let Some(known) = walk.known(read, Some(&self.ends_by_functions)) {
            return Some(known);
        }
        walk.active.push(read);
        let mut count = 1;
        for next in reads {
            count = count.max(1 + self.count_by_functions(next, walk)?);
        }
        walk.active.pop();
        walk.done.insert(read, count);
        Some(count)
    }
}
