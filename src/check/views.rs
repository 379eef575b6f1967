//! Views that hide rows, and whether end users can see or write the hidden ones.
//!
//! A condition hides rows from functions in a query only with `security_barrier`. A row that does not fulfil it can be written
//! without `check_option`. Both matter where the view reads a table as an owner to which row-level security does not apply.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use pgrx::pg_sys::Oid;
use pgrx::prelude::*;

use crate::check::call_graph::CallGraph;
use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::check::view_bypasses;
use crate::check::view_bypasses::Read;
use crate::check::view_graph::{MAX_LEVELS, Relation, ViewGraph};
use crate::check::view_query::{self, ViewQuery};
use crate::check::view_readers::ViewReaders;
use crate::pg::memory::Scratch;
use crate::pg::sql_types::StoredTree;

/// The queries of views.
const QUERIES: &str =
    "SELECT r.oid, w.ev_action FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.ev_type = '1'
 WHERE r.kind = 'v' AND octet_length(w.ev_action::text) < $MAX_BYTES";

/// The largest query of a view that is read, as PostgreSQL stores it.
const MAX_BYTES: usize = 16 << 20;

/// The columns of views that end users may write.
const WRITABLE: &str = "SELECT a.attrelid, a.attnum FROM pg_attribute a
  WHERE a.attrelid IN (SELECT g.oid FROM granted g WHERE g.kind = 'v' AND (g.privileges LIKE '%INSERT%' OR g.privileges LIKE '%UPDATE%'))
    AND a.attnum > 0 AND EXISTS (
            SELECT FROM reach e
             WHERE has_column_privilege(e.oid, a.attrelid, a.attnum, 'INSERT') OR has_column_privilege(e.oid, a.attrelid, a.attnum, 'UPDATE'))";

/// Those of some views that PostgreSQL writes. It follows the views below each one.
const UPDATABLE: &str = "SELECT v::oid FROM unnest(string_to_array('$VIEWS', ',')) v WHERE pg_relation_is_updatable(v::oid, false) & 12 <> 0";

/// The views, with what is known of each.
struct Views<'g> {
    readers: ViewReaders<'g>,
    queries: HashMap<Oid, ViewQuery>,
    /// The tables that each view reads without row-level security, itself or through others.
    open: Vec<Rc<HashSet<Read>>>,
}

pub fn inspect(
    catalog: &Catalog<'_>,
    functions: &CallGraph,
    graph: &ViewGraph,
    rows: &mut Vec<FindingRow>,
) -> spi::Result<()> {
    graph.inspect_levels(rows);
    let readers = ViewReaders::of(graph);
    if readers.granted.is_empty() {
        return Ok(());
    }
    let tables = view_bypasses::tables_read(&readers);
    view_bypasses::inspect(&readers, &tables, rows);
    let mut scratch = Scratch::new("pg_session_jwt: the query of a view");
    let mut queries = HashMap::new();
    catalog.each(&QUERIES.replace("$MAX_BYTES", &MAX_BYTES.to_string()), |row| {
        if let (Some(view), Some(stored)) = (row.get::<Oid>(1)?, row.get::<StoredTree>(2)?) {
            let query = scratch.run(|arena| view_query::read(functions, arena, &stored, view));
            queries.insert(view, query);
        }
        Ok(())
    })?;
    let open = view_bypasses::open_tables(&readers);
    let views = Views { readers, queries, open };
    views.without_barrier(rows);
    views.without_check(catalog, rows)
}

impl Views<'_> {
    /// The query of a view that reads a table without row-level security.
    fn query(&self, index: usize) -> Option<&ViewQuery> {
        let it = &self.readers.all[index];
        let is_open = self.readers.relation(it).is_view() && !self.open[index].is_empty();
        self.queries.get(&it.relation).filter(|_| is_open)
    }

    fn has_barrier(&self, index: usize) -> bool {
        let it = &self.readers.all[index];
        let is_union_all = self.queries.get(&it.relation).is_some_and(|query| query.is_union_all);
        self.readers.relation(it).has_barrier && !is_union_all
    }

    /// Whether a view shows hidden rows to functions in the query of its caller.
    fn shows_hidden(&self, index: usize) -> bool {
        self.query(index).is_some_and(|query| query.filters_by_identity) && !self.has_barrier(index)
    }

    /// The views that end users access.
    fn granted(&self) -> impl Iterator<Item = (usize, Oid, &Relation)> {
        let all = self.readers.granted.iter().map(|index| {
            let it = &self.readers.all[*index];
            (*index, it.relation, self.readers.relation(it))
        });
        all.filter(|(_, _, relation)| relation.is_view())
    }

    fn without_barrier(&self, rows: &mut Vec<FindingRow>) {
        // A materialized view has stored its rows, and a barrier protects what is below it.
        let is_closed =
            |index: usize| self.has_barrier(index) || !self.readers.relation(&self.readers.all[index]).is_view();
        let shown = self.readers.gather(|index| match () {
            () if is_closed(index) => None,
            () if self.shows_hidden(index) => Some(self.open[index].iter().map(|(table, _)| *table).collect()),
            () => Some(HashSet::new()),
        });
        let of_unions = self.readers.gather(|index| match () {
            () if is_closed(index) => None,
            () if self.shows_hidden(index) && self.query(index).is_some_and(|query| query.is_union_all) => {
                Some(HashSet::from([()]))
            }
            () => Some(HashSet::new()),
        });
        for (index, oid, view) in self.granted() {
            let Some(granted) = view.granted.as_ref().filter(|it| it.privileges.contains("SELECT")) else {
                continue;
            };
            if shown[index].is_empty() {
                continue;
            }
            let tables: BTreeSet<&[u8]> = shown[index]
                .iter()
                .map(|table| self.readers.graph.name(*table))
                .collect();
            let tables: Vec<&[u8]> = tables.into_iter().collect();
            let is_union_all = self.queries.get(&oid).is_some_and(|query| query.is_union_all);
            let remedy = if !is_union_all {
                with_barrier(&view.name)
            } else if !of_unions[index].is_empty() {
                b"Put each part of its UNION ALL into a view with security_barrier, which has no effect on UNION ALL."
                    .to_vec()
            } else {
                let parts = self.parts_without_barrier(index);
                parts.into_iter().map(with_barrier).collect::<Vec<_>>().join(&b" "[..])
            };
            let problem = b" may SELECT, and its condition on the identity is no barrier: a function in a query can see every row of ";
            rows.push(FindingRow::new(
                Finding::ViewWithoutBarrier,
                &view.name,
                [
                    granted.who.as_slice(),
                    problem,
                    &tables.join(&b", "[..]),
                    b" before it.",
                ]
                .concat(),
                remedy,
            ));
        }
    }

    /// The views below one that show hidden rows.
    fn parts_without_barrier(&self, view: usize) -> BTreeSet<&[u8]> {
        let mut parts = BTreeSet::new();
        let (mut seen, mut next) = (HashSet::new(), vec![view]);
        while let Some(index) = next.pop() {
            check_for_interrupts!();
            let it = &self.readers.all[index];
            let relation = self.readers.relation(it);
            if !seen.insert(index) || !relation.is_view() || self.has_barrier(index) {
                continue;
            }
            if self.shows_hidden(index) {
                parts.insert(relation.name.as_slice());
            }
            next.extend(&it.inner);
        }
        parts
    }

    fn without_check(&self, catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
        let mut writable: HashMap<Oid, Vec<i16>> = HashMap::new();
        catalog.each(WRITABLE, |row| {
            if let (Some(view), Some(column)) = (row.get::<Oid>(1)?, row.get(2)?) {
                writable.entry(view).or_default().push(column);
            }
            Ok(())
        })?;
        let mut found: HashMap<Oid, FindingRow> = HashMap::new();
        for (index, oid, view) in self.granted() {
            if let (Some(columns), Some(granted)) = (writable.get(&oid), &view.granted)
                && self.is_written_unchecked(index, columns)
            {
                let problem = b" may write rows that it does not show, because it has no check option.";
                let row = FindingRow::new(
                    Finding::ViewWithoutCheckOption,
                    &view.name,
                    [granted.who.as_slice(), problem].concat(),
                    [b"ALTER VIEW ", view.name.as_slice(), b" SET (check_option = cascaded);"].concat(),
                );
                found.insert(oid, row);
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        let views: Vec<String> = found.keys().map(|view| view.to_u32().to_string()).collect();
        catalog.each(&UPDATABLE.replace("$VIEWS", &views.join(",")), |row| {
            rows.extend(row.get::<Oid>(1)?.and_then(|view| found.remove(&view)));
            Ok(())
        })
    }

    /// Follows the view that is written, from the one that end users access to the table. Its condition may hide what they
    /// write to these columns.
    fn is_written_unchecked(&self, view: usize, writable: &[i16]) -> bool {
        // For each column of the current view, the column of the accessed one.
        let mut outer: BTreeMap<i16, i16> = writable.iter().map(|column| (*column, *column)).collect();
        let (mut at, mut is_cascaded, mut is_unchecked) = (view, false, false);
        for _ in 0..=MAX_LEVELS {
            check_for_interrupts!();
            let it = &self.readers.all[at];
            let relation = self.readers.relation(it);
            let Some(query) = self.query(at).filter(|_| !relation.has_trigger) else {
                return false;
            };
            is_cascaded |= relation.checks == b"cascaded";
            let pairs = query.columns.iter();
            let inner: BTreeMap<i16, i16> = pairs
                .filter_map(|(own, below)| Some((*below, *outer.get(own)?)))
                .collect();
            let can_hide = query.condition_columns.iter().any(|column| inner.contains_key(column));
            is_unchecked |= can_hide && !is_cascaded && relation.checks.is_empty();
            let Some(base) = query.base else {
                return false;
            };
            if self.open[at].contains(&(base, it.reader)) {
                return is_unchecked;
            }
            let Some(part) = self.readers.part(it, base) else {
                return false;
            };
            (at, outer) = (part, inner);
        }
        false
    }
}

fn with_barrier(view: &[u8]) -> Vec<u8> {
    [b"ALTER VIEW ", view, b" SET (security_barrier = true);"].concat()
}
