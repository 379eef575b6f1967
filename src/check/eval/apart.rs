//! Sub-selects that join the tables of the user with those of the row by no condition: `EXISTS (SELECT FROM members m,
//! members n WHERE m.user_id = auth.user_id() AND n.team = docs.team)`.

use pgrx::pg_sys::{self, BoolExprType, JoinType, Oid, RTEKind};
use pgrx::prelude::*;

use crate::check::eval::bare_select::bare_select;
use crate::check::eval::reads::Reader;
use crate::pg::nodes::{self, Kind, NodeRef, View};

/// The entries that a FROM may have.
const MAX_ENTRIES: usize = 30;

/// What conditions connect with each other: sets of entries of FROM, of the row and of the identity.
struct Groups<'r> {
    readers: &'r [Reader],
    entries: usize,
    /// For each entry, and then for the row and the identity: the number of its group.
    groups: Vec<usize>,
    /// Whether there is a further sub-select that does not only wrap an expression.
    is_nested: bool,
}

/// The tables of the user, if no condition connects them with the row although others are connected with it. None for other
/// sub-selects, and for those with a further query inside.
pub fn tables_of_user(readers: &[Reader], link: View<'_, pg_sys::SubLink>) -> Option<Vec<Oid>> {
    let Kind::Query(query) = link.subselect().kind() else {
        return None;
    };
    let entries = query.rtable().to_vec();
    if entries.len() < 2 || entries.len() > MAX_ENTRIES || !query.cteList().is_null() {
        return None;
    }
    let mut groups = Groups {
        readers,
        entries: entries.len(),
        groups: (0..entries.len() + 2).collect(),
        is_nested: false,
    };
    groups.from(query.jointree().node())?;
    if !link.testexpr().is_null() {
        let mut seen = Vec::new();
        groups.reads(link.testexpr(), None, &mut seen);
        groups.reads(query.targetList().node(), Some(0), &mut seen);
        groups.connect(&seen);
    }
    if groups.is_nested {
        return None;
    }
    let mut relations = Vec::new();
    let (row, user) = (groups.groups[entries.len()], groups.groups[entries.len() + 1]);
    let mut is_row_connected = false;
    for (index, entry) in entries.iter().enumerate() {
        let Kind::RangeTblEntry(entry) = entry.kind() else {
            return None;
        };
        match entry.rtekind() {
            RTEKind::RTE_RELATION if groups.groups[index] == user => relations.push(entry.relid()),
            RTEKind::RTE_RELATION => is_row_connected |= groups.groups[index] == row,
            RTEKind::RTE_JOIN => {}
            _ => return None,
        }
    }
    (row != user && is_row_connected && !relations.is_empty()).then_some(relations)
}

impl Groups<'_> {
    /// Connects what the conditions of a FROM clause read; None for an outer join.
    fn from(&mut self, node: NodeRef<'_>) -> Option<()> {
        let (quals, parts) = match node.kind() {
            Kind::FromExpr(from) => (from.quals(), from.fromlist().to_vec()),
            Kind::JoinExpr(join) if join.jointype() == JoinType::JOIN_INNER => {
                (join.quals(), vec![join.larg(), join.rarg()])
            }
            Kind::RangeTblRef(_) => return Some(()),
            _ => return None,
        };
        self.condition(quals);
        parts.into_iter().try_for_each(|part| self.from(part))
    }

    fn condition(&mut self, condition: NodeRef<'_>) {
        if let Kind::BoolExpr(it) = condition.kind()
            && it.boolop() == BoolExprType::AND_EXPR
            && !nodes::is_too_deep()
        {
            it.args().iter().for_each(|part| self.condition(part));
            return;
        }
        let mut seen = Vec::new();
        self.reads(condition, Some(0), &mut seen);
        self.connect(&seen);
    }

    /// Finds what an expression reads; `depth` is the number of queries between it and the sub-select, None outside.
    fn reads(&mut self, node: NodeRef<'_>, depth: Option<u32>, seen: &mut Vec<usize>) -> bool {
        check_for_interrupts!();
        let mut depth = depth;
        match node.kind() {
            Kind::Null => return false,
            Kind::Var(column) => {
                let entry = usize::try_from(column.varno()).ok().and_then(|it| it.checked_sub(1));
                let entry = entry.filter(|it| Some(column.varlevelsup()) == depth && *it < self.entries);
                seen.push(entry.unwrap_or(self.entries));
            }
            Kind::FuncExpr(call) if self.readers.iter().any(|reader| reader.oid == call.funcid()) => {
                seen.push(self.entries + 1);
            }
            Kind::SubLink(link) if bare_select(link).is_none() => self.is_nested = true,
            Kind::Query(_) => depth = depth.map(|depth| depth + 1),
            _ => {}
        }
        self.is_nested
            || nodes::is_too_deep()
            || nodes::walk_children(node, &mut |child| self.reads(child, depth, seen))
    }

    fn connect(&mut self, seen: &[usize]) {
        let Some(group) = seen.first().map(|first| self.groups[*first]) else {
            return;
        };
        for other in seen {
            let old = self.groups[*other];
            for it in self.groups.iter_mut().filter(|it| **it == old) {
                *it = group;
            }
        }
    }
}
