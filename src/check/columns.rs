//! Columns that policies compare with the identity, and whether an index can find the rows.
//!
//! An index on a column does not serve an expression over it, such as `lower(email)`. Columns of type `citext` or `char(n)`
//! are such expressions, too: PostgreSQL casts them to text.

use std::collections::HashSet;

use pgrx::pg_sys::{BoolExprType, CoercionForm, Oid};
use pgrx::prelude::*;

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::eval::bare_select::bare_select;
use crate::check::eval::reads::Reader;
use crate::check::finding::Finding;
use crate::pg::catalog;
use crate::pg::nodes::{self, Kind, NodeRef};

/// A column that is compared with the identity.
#[derive(PartialEq, Eq, Hash)]
pub struct Column {
    table: Oid,
    compared: Compared,
}

/// What is compared: a column, perhaps after a cast, and perhaps as the argument of a function.
#[derive(PartialEq, Eq, Hash)]
struct Compared {
    number: i16,
    cast: Option<Oid>,
    function: Option<Oid>,
    operator: Oid,
    collation: Oid,
}

/// The expression is written as `pg_get_indexdef` shows it. A varchar and a domain over it need no expression: they share the
/// operators of text.
const WITHOUT_INDEX: &str = ", compared AS (
    SELECT r.oid, r.name, a.attname, a.attnum, a.atttypid, c.operator, c.collation, c.function = 0 AND NOT k.is_needed AS is_plain, CASE
               WHEN c.function <> 0 AND c.type <> 0 THEN format('%s((%I)::%s)', f.name, a.attname, format_type(c.type, NULL))
               WHEN c.function <> 0 THEN format('%s(%I)', f.name, a.attname)
               WHEN k.is_needed THEN format('((%I)::%s)', a.attname, format_type(c.type, NULL))
               ELSE quote_ident(a.attname) END AS expression, CASE
               WHEN c.collation <> 0 AND c.collation <> a.attcollation AND a.attcollation <> 0 THEN format(' COLLATE %s', c.collation::regcollation)
               ELSE '' END AS collate
      FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid JOIN pg_type t ON t.oid = a.atttypid
           JOIN (SELECT split_part(f, ' ', 1)::oid AS oid, split_part(f, ' ', 2)::int AS number, split_part(f, ' ', 3)::oid AS type,
                        split_part(f, ' ', 4)::oid AS function, split_part(f, ' ', 5)::oid AS operator, split_part(f, ' ', 6)::oid AS collation
                   FROM unnest(string_to_array('$COLUMNS', ',')) f) c ON c.oid = r.oid AND c.number = a.attnum
           LEFT JOIN LATERAL (SELECT CASE n.nspname WHEN 'pg_catalog' THEN quote_ident(p.proname) ELSE format('%I.%I', n.nspname, p.proname) END AS name
                                FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = c.function) f ON true
           CROSS JOIN LATERAL (SELECT c.type <> 0 AND COALESCE(NULLIF(t.typbasetype, 0), t.oid)
                                      NOT IN ('varchar'::regtype, 'text'::regtype, 'name'::regtype)) k (is_needed)
     WHERE NOT a.attisdropped AND r.kind IN ('r', 'p')
) SELECT format('%s (%s)', c.name, c.expression),
         format('A policy compares it with the identity, and no index begins with it: each query reads the whole table.%s',
                CASE WHEN c.atttypid = 'uuid'::regtype AND NOT c.is_plain
                     THEN format(' A comparison of %I with auth.uid() needs no cast.', c.attname) ELSE '' END),
         format('CREATE INDEX ON %s (%s%s);', c.name, c.expression, c.collate)
    FROM compared c
   WHERE NOT EXISTS (
             SELECT FROM pg_index i JOIN pg_opclass o ON o.oid = i.indclass[0] JOIN pg_operator p ON p.oid = c.operator
                    JOIN pg_amop m ON m.amopfamily = o.opcfamily AND m.amopopr IN (p.oid, p.oprcom)
              WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indcollation[0] IN (0, c.collation)
                AND CASE WHEN c.is_plain THEN i.indkey[0] = c.attnum
                    ELSE i.indkey[0] = 0 AND pg_get_indexdef(i.indexrelid, 1, false) = c.expression END)";

/// Reports the columns without an index.
pub fn inspect(catalog: &Catalog<'_>, columns: &HashSet<Column>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    if columns.is_empty() {
        return Ok(());
    }
    let columns: Vec<String> = columns
        .iter()
        .map(|Column { table, compared: it }| {
            let number = |object: Option<Oid>| object.map_or(0, Oid::to_u32);
            let (cast, function) = (number(it.cast), number(it.function));
            let (operator, collation) = (it.operator.to_u32(), it.collation.to_u32());
            format!(
                "{} {} {cast} {function} {operator} {collation}",
                table.to_u32(),
                it.number
            )
        })
        .collect();
    let sql = WITHOUT_INDEX.replace("$COLUMNS", &columns.join(","));
    catalog.find(Finding::PolicyColumnWithoutIndex, &sql, rows)
}

/// Adds the columns that must equal the identity in a policy, in the forms `auth.user_id() = column`,
/// `(select auth.user_id()) = column` and `(select auth.user_id() = column)`.
pub fn of_policy(readers: &[Reader], tree: NodeRef<'_>, table: Oid, all: &mut HashSet<Column>) {
    let mut add = |compared| {
        all.insert(Column { table, compared });
    };
    of_condition(readers, tree, 0, &mut add);
}

fn of_condition(readers: &[Reader], node: NodeRef<'_>, level: u32, add: &mut dyn FnMut(Compared)) {
    check_for_interrupts!();
    if nodes::is_too_deep() {
        return;
    }
    if let Some(inner) = sub_select(node) {
        return of_condition(readers, inner, level + 1, add);
    }
    match node.kind() {
        Kind::BoolExpr(boolean) if boolean.boolop() == BoolExprType::AND_EXPR => {
            for part in boolean.args().iter() {
                of_condition(readers, part, level, add);
            }
        }
        Kind::OpExpr(operator) => {
            if let [a, b] = operator.args().to_vec()[..]
                && catalog::operator_is_named(operator.opno(), c"=")
            {
                for (identity, other) in [(a, b), (b, a)] {
                    if is_identity(readers, identity)
                        && let Some((number, cast, function)) = column(other, level)
                    {
                        add(Compared {
                            number,
                            cast,
                            function,
                            operator: operator.opno(),
                            collation: operator.inputcollid(),
                        });
                    }
                }
            }
        }
        _ => {}
    }
}

/// Whether an expression reads the identity, and no column.
fn is_identity(readers: &[Reader], node: NodeRef<'_>) -> bool {
    let (mut reads_identity, mut reads_column) = (false, false);
    inspect_parts(node, &mut |part| match part.kind() {
        Kind::FuncExpr(call) => reads_identity |= readers.iter().any(|reader| reader.oid == call.funcid()),
        Kind::Var(_) => reads_column = true,
        _ => {}
    });
    reads_identity && !reads_column
}

fn inspect_parts(node: NodeRef<'_>, see: &mut dyn FnMut(NodeRef<'_>)) -> bool {
    check_for_interrupts!();
    see(node);
    nodes::is_too_deep() || nodes::walk_children(node, &mut |child| inspect_parts(child, see))
}

/// A column with its cast and its function, if an index on that is possible.
fn column(node: NodeRef<'_>, level: u32) -> Option<(i16, Option<Oid>, Option<Oid>)> {
    if let Kind::CollateExpr(collated) = node.kind() {
        return column(collated.arg(), level);
    }
    match node.kind() {
        Kind::FuncExpr(call)
            if level == 0 && call.funcformat() == CoercionForm::COERCE_EXPLICIT_CALL && !node.is_mutable() =>
        {
            let [argument] = call.args().to_vec()[..] else {
                return None;
            };
            cast_column(argument, level).map(|(number, cast)| (number, cast, Some(call.funcid())))
        }
        _ => cast_column(node, level).map(|(number, cast)| (number, cast, None)),
    }
}

/// A column, with the type that it is cast to.
fn cast_column(node: NodeRef<'_>, level: u32) -> Option<(i16, Option<Oid>)> {
    let argument = match node.kind() {
        Kind::Var(column) => {
            return (column.varlevelsup() == level && column.varattno() > 0).then_some((column.varattno(), None));
        }
        Kind::RelabelType(it) => it.arg(),
        // The planner hook moves none of the others out of a sub-select.
        _ if level > 0 => return None,
        Kind::CoerceViaIO(it) => it.arg(),
        Kind::FuncExpr(call) if call.funcformat() != CoercionForm::COERCE_EXPLICIT_CALL => call.args().iter().next()?,
        _ => return None,
    };
    match argument.kind() {
        Kind::Var(_) if !node.is_mutable() => {
            cast_column(argument, level).map(|(number, _)| (number, Some(node.value_type())))
        }
        _ => None,
    }
}

/// The expression of a sub-select without FROM.
fn sub_select(node: NodeRef<'_>) -> Option<NodeRef<'_>> {
    match node.kind() {
        Kind::SubLink(link) => bare_select(link),
        _ => None,
    }
}
