//! Functions that are declared IMMUTABLE or LEAKPROOF, although they read the identity.
//!
//! The planner replaces a call of an IMMUTABLE function by its result. A prepared statement, a plan of PL/pgSQL or an index
//! then retains the identity of the user for whom it was made.

use std::collections::{BTreeMap, HashSet};

use pgrx::prelude::*;

use crate::check::call_graph::CallGraph;
use crate::check::catalog_query;
use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::check::messages;
use crate::check::tree_calls;
use crate::pg::memory::Scratch;
use crate::pg::sql_types::StoredTree;

/// The objects whose expressions call some functions, also by an operator: their kind, name and trees, and what has to
/// happen before the functions become STABLE. Kind `i` is an index, `c` something that is planned again each time.
const PLACES: &str = ", used (class, object) AS (
    SELECT DISTINCT d.classid, d.objid FROM pg_depend d LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
     WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
       AND COALESCE(o.oprcode::oid, d.refobjid) = ANY (string_to_array('$FUNCTIONS', ',')::oid[])
) SELECT 'p', format('policy %I ON %s', p.polname, p.polrelid::regclass), p.polqual, p.polwithcheck, ''
    FROM used u JOIN pg_policy p ON u.class = 'pg_policy'::regclass AND p.oid = u.object
UNION ALL
  SELECT CASE a.attgenerated WHEN '' THEN 'd' ELSE 'c' END,
         format('%s of %s (%I)', CASE a.attgenerated WHEN '' THEN 'default' ELSE 'generated column' END, a.attrelid::regclass, a.attname), t.adbin, NULL,
         CASE a.attgenerated WHEN 's' THEN format('ALTER TABLE %s ALTER COLUMN %I DROP EXPRESSION; ', a.attrelid::regclass, a.attname) || CASE
             WHEN NOT EXISTS (SELECT FROM pg_depend o WHERE o.classid = u.class AND o.objid = t.oid AND o.refclassid = 'pg_class'::regclass
                                                        AND o.refobjid = a.attrelid AND o.refobjsubid <> a.attnum)
             THEN format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s; ', a.attrelid::regclass, a.attname, pg_get_expr(t.adbin, t.adrelid)) ELSE '' END ELSE '' END
    FROM used u JOIN pg_attrdef t ON u.class = 'pg_attrdef'::regclass AND t.oid = u.object
         JOIN pg_attribute a ON a.attrelid = t.adrelid AND a.attnum = t.adnum
UNION ALL
  SELECT CASE c.relkind WHEN 'm' THEN 'c' ELSE 'v' END,
         CASE w.ev_type WHEN '1' THEN format('%s %s', CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, c.oid::regclass)
         ELSE format('rule %I ON %s', w.rulename, c.oid::regclass) END, w.ev_action, w.ev_qual, ''
    FROM used u JOIN pg_rewrite w ON u.class = 'pg_rewrite'::regclass AND w.oid = u.object JOIN pg_class c ON c.oid = w.ev_class
UNION ALL
  SELECT CASE WHEN k.contypid <> 0 THEN 'k' ELSE 'c' END,
         format('constraint %I ON %s', k.conname, CASE WHEN k.contypid <> 0 THEN k.contypid::regtype::text ELSE k.conrelid::regclass::text END), k.conbin, NULL, ''
    FROM used u JOIN pg_constraint k ON u.class = 'pg_constraint'::regclass AND k.oid = u.object
UNION ALL
  SELECT 'i', format('index %s', i.indexrelid::regclass), i.indexprs, i.indpred,
         COALESCE((SELECT format('ALTER TABLE %s DROP CONSTRAINT %I; ', i.indrelid::regclass, k.conname) FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')),
                  format('DROP INDEX %s; ', i.indexrelid::regclass))
    FROM used u JOIN pg_index i ON u.class = 'pg_class'::regclass AND i.indexrelid = u.object
         JOIN pg_class c ON c.oid = i.indexrelid AND NOT c.relispartition
ORDER BY 2";

/// What is known about one function.
#[derive(Default)]
struct Places {
    /// Those that retain the identity of another user, and all others.
    stale: Vec<Vec<u8>>,
    other: Vec<Vec<u8>>,
    before: Vec<u8>,
}

pub fn inspect(catalog: &Catalog<'_>, functions: &CallGraph, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    let mut wrong = HashSet::new();
    for (index, function) in functions.all.iter().enumerate() {
        if (function.is_immutable || function.is_leakproof) && function.is_too_large {
            rows.push(FindingRow::with(
                Finding::NotChecked,
                &function.signature,
                messages::FUNCTION_TOO_LARGE,
            ));
        }
        let Some(reads) = functions.reads(index) else {
            continue;
        };
        if function.is_immutable && function.is_computed {
            wrong.insert(index);
        }
        if function.is_leakproof && function.has_arguments && function.is_executable {
            rows.push(FindingRow::new(
                Finding::LeakproofFunction,
                &function.signature,
                [
                    b"It is declared LEAKPROOF and reads ",
                    reads,
                    b": it is called with rows that policies hide, and its errors can show them.",
                ]
                .concat(),
                [b"ALTER FUNCTION ", function.signature.as_slice(), b" NOT LEAKPROOF;"].concat(),
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let places = places(catalog, functions, &wrong)?;
    let none = Places::default();
    for index in wrong {
        let function = &functions.all[index];
        let reads = functions.reads(index).unwrap_or_default();
        let places = places.get(&index).unwrap_or(&none);
        let listed = |names: &[Vec<u8>]| names.join(&b", "[..]);
        let (finding, effect) = if places.stale.is_empty() {
            let other = match places.other.is_empty() {
                true => Vec::new(),
                false => [b" It is used in ", listed(&places.other).as_slice(), b"."].concat(),
            };
            (
                Finding::ImmutableFunction,
                [
                    &b": a prepared statement that calls it with constants retains the result for one user."[..],
                    &other,
                ]
                .concat(),
            )
        } else {
            (
                Finding::ImmutableIdentity,
                [
                    b": a plan or index retains the result for another user. It is used in ",
                    listed(&places.stale).as_slice(),
                    b".",
                ]
                .concat(),
            )
        };
        rows.push(FindingRow::new(
            finding,
            &function.signature,
            [b"It is declared IMMUTABLE and reads ", reads, &effect].concat(),
            [
                places.before.as_slice(),
                b"ALTER FUNCTION ",
                &function.signature,
                b" STABLE;",
            ]
            .concat(),
        ));
    }
    Ok(())
}

/// The places where each wrong function is called, also through other functions.
fn places(
    catalog: &Catalog<'_>,
    functions: &CallGraph,
    wrong: &HashSet<usize>,
) -> spi::Result<BTreeMap<usize, Places>> {
    let callers: Vec<String> = functions
        .callers_of(wrong)
        .into_iter()
        .map(|index| functions.all[index].oid.to_u32().to_string())
        .collect();
    let mut all: BTreeMap<usize, Places> = BTreeMap::new();
    let mut scratch = Scratch::new("pg_session_jwt: an expression that calls functions");
    catalog.each(&PLACES.replace("$FUNCTIONS", &callers.join(",")), |row| {
        let text = |column| catalog_query::text(row, column);
        let (kind, name, before) = (text(1)?, text(2)?, text(5)?);
        let mut direct = Vec::new();
        for stored in [row.get::<StoredTree>(3)?, row.get::<StoredTree>(4)?]
            .into_iter()
            .flatten()
        {
            let calls = scratch.run(|arena| tree_calls::of_stored(arena, &stored));
            direct.extend(functions.edges(&calls));
        }
        // An index stores results, whatever the arguments.
        let is_stale = |is_constant| kind == b"i" || kind != b"c" && is_constant;
        let mut seen = BTreeMap::new();
        for call in functions.all_calls(direct) {
            if wrong.contains(&call.to) {
                *seen.entry(call.to).or_insert(false) |= is_stale(call.is_constant);
            }
        }
        for (function, is_stale) in seen {
            let places = all.entry(function).or_default();
            let names = if is_stale { &mut places.stale } else { &mut places.other };
            names.push(name.clone());
            if !places.before.ends_with(&before) {
                places.before.extend(&before);
            }
        }
        Ok(())
    })?;
    Ok(all)
}
