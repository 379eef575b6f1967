//! Views that show the rows of tables whose row-level security does not apply to them.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use pgrx::pg_sys::Oid;

use crate::check::catalog_query::{self, FindingRow};
use crate::check::finding::Finding;
use crate::check::remedy;
use crate::check::view_graph::Granted;
use crate::check::view_readers::ViewReaders;

/// A table, with the role that a view reads it as.
pub type Read = (Oid, Option<Oid>);

/// The tables that each view reads, itself or through others.
pub fn tables_read(views: &ViewReaders<'_>) -> Vec<Rc<HashSet<Read>>> {
    of_parts(views, |_, _| true)
}

/// Those of them whose rows it all reads.
pub fn open_tables(views: &ViewReaders<'_>) -> Vec<Rc<HashSet<Read>>> {
    of_parts(views, |table, reader| views.graph.is_open(table, reader))
}

fn of_parts(views: &ViewReaders<'_>, is_wanted: impl Fn(Oid, Option<Oid>) -> bool) -> Vec<Rc<HashSet<Read>>> {
    views.gather(|index| {
        let it = &views.all[index];
        let parts = views.relation(it).parts.iter();
        let has_rows = |part: &&Oid| views.graph.relations.get(part).is_some_and(|part| part.has_rows());
        let wanted = parts.filter(has_rows).filter(|part| is_wanted(**part, it.reader));
        Some(wanted.map(|part| (*part, it.reader)).collect())
    })
}

/// Reports the views that read as an owner, and the materialized views.
pub fn inspect(views: &ViewReaders<'_>, tables: &[Rc<HashSet<Read>>], rows: &mut Vec<FindingRow>) {
    let graph = views.graph;
    for index in &views.granted {
        let it = &views.all[*index];
        let relation = views.relation(it);
        let Some(Granted {
            who,
            privileges,
            revoke,
        }) = &relation.granted
        else {
            continue;
        };
        let (mut names, mut readers) = (BTreeSet::new(), BTreeSet::new());
        for (table, reader) in tables[*index].iter() {
            let Some(of_table) = graph.relations.get(table).filter(|it| it.has_rls && it.is_table()) else {
                continue;
            };
            if relation.is_materialized() || graph.is_bypassed(of_table, *reader) {
                names.insert(graph.name(*table));
                readers.extend(reader.map(|reader| graph.owner_name(reader)));
            }
        }
        if names.is_empty() || relation.is_view() && it.reader.is_none() {
            continue;
        }
        let names = names.into_iter().collect::<Vec<_>>().join(&b", "[..]);
        let readers = readers.into_iter().collect::<Vec<_>>().join(&b", "[..]);
        let may = [who.as_slice(), b" may ", privileges.as_bytes()].concat();
        let revoke = revoke.clone();
        let (finding, problem, choices) = if relation.is_materialized() {
            let problem = [
                b", and it stores rows of ",
                names.as_slice(),
                b", whose policies do not apply to it.",
            ]
            .concat();
            (Finding::MaterializedViewBypassesRls, problem, Vec::from_iter(revoke))
        } else {
            let problem = [
                b", and it reads ",
                names.as_slice(),
                b" as ",
                &readers,
                b", which bypasses row-level security.",
            ];
            let invoker = [
                b"ALTER VIEW ",
                relation.name.as_slice(),
                b" SET (security_invoker = true); -- end users then need privileges on what it reads",
            ];
            let choices = [invoker.concat()].into_iter().chain(revoke).collect();
            (Finding::ViewBypassesRls, problem.concat(), choices)
        };
        let choices = match choices.is_empty() {
            true => vec![catalog_query::BY_MEMBERSHIP.to_vec()],
            false => choices,
        };
        rows.push(FindingRow::new(
            finding,
            &relation.name,
            [may, problem].concat(),
            remedy::of_choices(&choices),
        ));
    }
}
