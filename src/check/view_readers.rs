//! Each view with each role that may read its tables, and what they reach.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::rc::Rc;

use pgrx::pg_sys::Oid;
use pgrx::prelude::*;

use crate::check::view_graph::{Relation, ViewGraph};

/// A view or a materialized view, with the role that reads its parts; none is the caller.
pub struct ViewReader {
    pub relation: Oid,
    pub reader: Option<Oid>,
    /// Its parts that are views and materialized views.
    pub inner: Vec<usize>,
}

pub struct ViewReaders<'g> {
    pub graph: &'g ViewGraph,
    /// Each after its parts, except in a circle.
    pub all: Vec<ViewReader>,
    /// What end users can access.
    pub granted: Vec<usize>,
    /// From here on they read each other in a circle, or such a circle.
    first_of_circles: usize,
    by_name: HashMap<(Oid, Option<Oid>), usize>,
}

impl<'g> ViewReaders<'g> {
    pub fn of(graph: &'g ViewGraph) -> ViewReaders<'g> {
        // From those that end users access downwards: the role depends on the way.
        let mut found: HashMap<Oid, HashSet<Option<Oid>>> = HashMap::new();
        for oid in graph.order.iter().rev() {
            let relation = &graph.relations[oid];
            if relation.granted.is_some() {
                found.entry(*oid).or_default().insert(relation.reader(None));
            }
        }
        let mut next: Vec<(Oid, Option<Oid>)> = found
            .iter()
            .flat_map(|(oid, readers)| readers.iter().map(|reader| (*oid, *reader)))
            .collect();
        while let Some((oid, reader)) = next.pop() {
            check_for_interrupts!();
            for part in graph.inner(oid) {
                let of_part = graph.relations[&part].reader(reader);
                if found.entry(part).or_default().insert(of_part) {
                    next.push((part, of_part));
                }
            }
        }
        let mut readers = ViewReaders {
            graph,
            all: Vec::new(),
            granted: Vec::new(),
            first_of_circles: 0,
            by_name: HashMap::new(),
        };
        for (place, oid) in graph.order.iter().enumerate() {
            if place <= graph.circles_from {
                readers.first_of_circles = readers.all.len();
            }
            for reader in found.get(oid).into_iter().flatten() {
                readers.by_name.insert((*oid, *reader), readers.all.len());
                readers.all.push(ViewReader {
                    relation: *oid,
                    reader: *reader,
                    inner: Vec::new(),
                });
            }
        }
        if graph.circles_from == graph.order.len() {
            readers.first_of_circles = readers.all.len();
        }
        for index in 0..readers.all.len() {
            let it = &readers.all[index];
            let inner: Vec<usize> = graph
                .inner(it.relation)
                .filter_map(|part| readers.part(it, part))
                .collect();
            let relation = &graph.relations[&it.relation];
            if relation.granted.is_some() && it.reader == relation.reader(None) {
                readers.granted.push(index);
            }
            readers.all[index].inner = inner;
        }
        readers
    }

    /// A part that is a view or a materialized view.
    pub fn part(&self, it: &ViewReader, part: Oid) -> Option<usize> {
        let reader = self.graph.relations.get(&part)?.reader(it.reader);
        self.by_name.get(&(part, reader)).copied()
    }

    pub fn relation(&self, it: &ViewReader) -> &'g Relation {
        &self.graph.relations[&it.relation]
    }

    /// For each view, what it and its parts have. `own` returns None where neither counts.
    pub fn gather<T: Eq + Hash + Copy>(&self, own: impl Fn(usize) -> Option<HashSet<T>>) -> Vec<Rc<HashSet<T>>> {
        let none: Rc<HashSet<T>> = Rc::default();
        let mut found = vec![Rc::clone(&none); self.all.len()];
        let own: Vec<Option<HashSet<T>>> = (0..self.all.len()).map(own).collect();
        let mut first = 0;
        loop {
            let mut has_changed = false;
            for (index, it) in self.all.iter().enumerate().skip(first) {
                check_for_interrupts!();
                let Some(own) = &own[index] else {
                    continue;
                };
                // Most views read one other view, and then share its set.
                let inner = it.inner.iter().map(|part| &found[*part]);
                let mut all = Rc::clone(inner.clone().max_by_key(|set| set.len()).unwrap_or(&none));
                for set in inner.map(Rc::as_ref).chain([own]) {
                    if !std::ptr::eq(set, Rc::as_ptr(&all)) && !set.is_subset(&all) {
                        Rc::make_mut(&mut all).extend(set);
                    }
                }
                has_changed |= all.len() > found[index].len();
                found[index] = all;
            }
            first = self.first_of_circles;
            if !has_changed || first == self.all.len() {
                return found;
            }
        }
    }
}
