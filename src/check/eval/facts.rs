//! What an expression reads.

use std::collections::{HashMap, HashSet};

use pgrx::pg_sys::Oid;

use crate::pg::nodes::NodeRef;

/// The levels that an expression may have; a policy with more is reported as not checked. Otherwise the walker would end
/// the whole check with an error where the stack is full.
pub const MAX_LEVELS: usize = 200;

/// The same limit for an expression that is still a text. A node and a list are a level each, and the walker passes over
/// at most three.
const MAX_BRACKETS: usize = 4 * MAX_LEVELS;

/// Whether an expression, as PostgreSQL stores it, is nested too deeply to be parsed: parsing needs stack, too.
pub fn is_too_deep(text: &[u8]) -> bool {
    let (mut depth, mut is_escaped) = (0_usize, false);
    text.iter().any(|byte| {
        match byte {
            _ if is_escaped => {}
            b'{' | b'(' => depth += 1,
            b'}' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_escaped = *byte == b'\\' && !is_escaped;
        depth > MAX_BRACKETS
    })
}

/// How often a part of an expression reads something.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mentions {
    pub(super) identity: usize,
    /// Parameters that represent columns of a sub-select.
    pub(super) columns: usize,
    /// Claims that their user can write.
    pub(super) writable: usize,
    /// Functions of the application that read the identity. They may return the claims.
    pub(super) own_readers: usize,
}

impl Mentions {
    /// Whether claims can come from there.
    pub(super) fn may_be_claims(self) -> bool {
        self.identity > 0 || self.own_readers > 0
    }

    pub(super) fn since(self, before: Mentions) -> Mentions {
        Mentions {
            identity: self.identity - before.identity,
            columns: self.columns - before.columns,
            writable: self.writable - before.writable,
            own_readers: self.own_readers - before.own_readers,
        }
    }
}

/// What an expression reads.
#[derive(Default)]
pub struct Facts<'t> {
    pub(super) all: Mentions,
    /// The mentions below each node that has any, so that no part of the expression is walked again.
    pub(super) parts: HashMap<NodeRef<'t>, Mentions>,
    /// Whether it reads anything that may depend on the session: a function of the application, a table, the role.
    pub is_opaque: bool,
    /// Whether it reads a setting with a dot in its name, which any SQL can set.
    pub reads_setting: bool,
    pub is_too_deep: bool,
    /// Whether its value can differ between roles.
    pub reads_role: bool,
    /// The sub-selects that read a table, but no column of the row, and call no function of the application; and conditions
    /// that contain such a sub-select, with it.
    pub(super) rowless: HashMap<NodeRef<'t>, NodeRef<'t>>,
    /// The sub-selects whose tables of the user no condition connects with the row, and these tables.
    pub(super) apart: HashMap<NodeRef<'t>, Vec<Oid>>,
    /// The sub-selects that read a table.
    pub(super) of_tables: HashSet<NodeRef<'t>>,
    /// The nodes that read a claim which its user can write.
    pub(super) writable: HashSet<NodeRef<'t>>,
    /// The columns of the row.
    pub(super) row: HashSet<NodeRef<'t>>,
    /// For columns of queries in FROM and WITH: the expressions that they stand for.
    pub(super) aliases: HashMap<NodeRef<'t>, NodeRef<'t>>,
    /// The queries of entries in FROM.
    pub(super) sources: HashMap<NodeRef<'t>, NodeRef<'t>>,
}

impl<'t> Facts<'t> {
    /// Whether a column is one of the row.
    pub fn is_of_row(&self, column: NodeRef<'t>) -> bool {
        self.row.contains(&column)
    }

    /// The expression that a column of a query in FROM or WITH stands for; None for other columns.
    pub fn alias(&self, column: NodeRef<'t>) -> Option<NodeRef<'t>> {
        self.aliases.get(&column).copied()
    }

    /// The query of an entry in FROM, if its columns stand for expressions.
    pub fn source(&self, entry: NodeRef<'t>) -> Option<NodeRef<'t>> {
        self.sources.get(&entry).copied()
    }

    /// Whether a sub-select reads a table, but no column of the row.
    pub fn is_rowless(&self, sub_select: NodeRef<'t>) -> bool {
        self.rowless.contains_key(&sub_select)
    }

    /// The sub-select of a condition that reads a table, but no column of the row.
    pub fn rowless_part(&self, condition: NodeRef<'t>) -> Option<NodeRef<'t>> {
        self.rowless.get(&condition).copied()
    }

    /// The tables of the user in a sub-select that no condition connects with the row.
    pub fn tables_apart(&self, sub_select: NodeRef<'t>) -> Option<&[Oid]> {
        self.apart.get(&sub_select).map(Vec::as_slice)
    }

    pub fn reads_table(&self, sub_select: NodeRef<'t>) -> bool {
        self.of_tables.contains(&sub_select)
    }

    /// Whether a node reads a claim that its user can write.
    pub fn is_writable(&self, node: NodeRef<'t>) -> bool {
        self.writable.contains(&node)
    }

    /// How often a part of the expression reads such claims.
    pub fn writes_in(&self, part: NodeRef<'t>) -> usize {
        self.parts.get(&part).map_or(0, |here| here.writable)
    }

    /// Whether a part reads a column of the sub-select that it is compared with.
    pub fn reads_columns(&self, part: NodeRef<'t>) -> bool {
        self.parts.get(&part).is_some_and(|here| here.columns > 0)
    }

    /// How often the expression reads such claims.
    pub fn writable(&self) -> usize {
        self.all.writable
    }

    /// How often the expression reads the identity.
    pub fn mentions(&self) -> usize {
        self.all.identity
    }

    /// How often a part of the expression reads the identity. With `with_columns`, so do the columns of the sub-select that
    /// the part is compared with.
    pub fn mentions_in(&self, part: NodeRef<'t>, with_columns: bool) -> usize {
        let here = self.parts.get(&part).copied().unwrap_or_default();
        here.identity + if with_columns { here.columns } else { 0 }
    }
}
