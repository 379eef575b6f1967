//! PostgreSQL's expression trees (`src/include/nodes/primnodes.h`), as far as the planner hook looks into them.
//!
//! Walked here and not by PostgreSQL's `expression_tree_walker`, which calls back for every node of every query through
//! guards against errors on both sides: this raises none.

use pgrx::pg_sys::{self, List, Node, NodeTag};

// Not through pgrx, whose guard against errors costs more than the call: it compares an address with a limit.
unsafe extern "C" {
    safe fn stack_is_too_deep() -> bool;
}

/// Whether one must not go further down. What is below is left as it is.
pub fn is_too_deep() -> bool {
    stack_is_too_deep()
}

/// A node as what its tag says.
///
/// # Safety
/// The pointer is a node of this type.
pub unsafe fn typed<'a, T>(node: *mut Node) -> &'a mut T {
    // SAFETY: the caller's promise; the tree is the planner's own, and this is the one thread.
    unsafe { &mut *node.cast::<T>() }
}

/// The place of a pointer to some kind of node, as the place of a pointer to a node.
pub fn node<T>(place: &mut *mut T) -> &mut *mut Node {
    // SAFETY: every node begins with its tag, which is all that a Node is; pointers are alike.
    unsafe { &mut *(&raw mut *place).cast::<*mut Node>() }
}

/// Whether a node is of a kind.
pub fn is(node: *mut Node, tag: NodeTag) -> bool {
    // SAFETY: null, or a node.
    unsafe { node.as_ref() }.is_some_and(|node| node.type_ == tag)
}

/// The nodes of a list.
pub fn elements(list: *mut List) -> Vec<*mut Node> {
    let mut all = Vec::new();
    each(list, |node| all.push(node));
    all
}

/// Shows the nodes of a list to `see`.
pub fn each(list: *mut List, mut see: impl FnMut(*mut Node)) {
    each_place(list, &mut |place| see(*place));
}

fn each_place(list: *mut List, see: &mut dyn FnMut(&mut *mut Node)) {
    if !is(list.cast(), NodeTag::T_List) {
        return;
    }
    // SAFETY: its tag says so.
    let list = unsafe { typed::<List>(list.cast()) };
    let length = usize::try_from(list.length).unwrap_or(0);
    // SAFETY: a list has so many elements.
    let elements = unsafe { std::slice::from_raw_parts_mut(list.elements, length) };
    for element in elements {
        // SAFETY: a T_List has pointers to nodes.
        see(node(unsafe { &mut element.ptr_value }));
    }
}

/// Of which members the children of a node are, for the kinds that are looked into.
macro_rules! children {
    ($node:expr, $see:expr, $($tag:ident: $type:ident { $($member:ident),* })*) => {
        // SAFETY: not null, by the check before.
        match unsafe { (*$node).type_ } {
            $(NodeTag::$tag => {
                // SAFETY: its tag says so.
                let it = unsafe { typed::<pg_sys::$type>($node) };
                $($see(node(&mut it.$member));)*
            })*
            _ => {}
        }
    };
}

/// Shows the places of a node's children to `see`; none for kinds that are not looked into. Sub-selects are not children.
pub fn each_child(parent: *mut Node, mut see: impl FnMut(&mut *mut Node)) {
    if parent.is_null() {
        return;
    }
    if is(parent, NodeTag::T_List) {
        each_place(parent.cast(), &mut see);
        return;
    }
    children!(parent, see,
        T_FromExpr: FromExpr { fromlist, quals }
        T_JoinExpr: JoinExpr { larg, rarg, quals }
        T_TargetEntry: TargetEntry { expr }
        T_BoolExpr: BoolExpr { args }
        T_OpExpr: OpExpr { args }
        T_DistinctExpr: OpExpr { args }
        T_NullIfExpr: OpExpr { args }
        T_ScalarArrayOpExpr: ScalarArrayOpExpr { args }
        T_FuncExpr: FuncExpr { args }
        T_Aggref: Aggref { args }
        T_RelabelType: RelabelType { arg }
        T_CoerceViaIO: CoerceViaIO { arg }
        T_ArrayCoerceExpr: ArrayCoerceExpr { arg }
        T_CollateExpr: CollateExpr { arg }
        T_CaseExpr: CaseExpr { arg, args, defresult }
        T_CaseWhen: CaseWhen { expr, result }
        T_CoalesceExpr: CoalesceExpr { args }
        T_MinMaxExpr: MinMaxExpr { args }
        T_ArrayExpr: ArrayExpr { elements }
        T_RowExpr: RowExpr { args }
        T_NullTest: NullTest { arg }
        T_BooleanTest: BooleanTest { arg }
        T_SubLink: SubLink { testexpr }
    );
}

/// The expression of a sub-select that is nothing but one expression.
pub fn scalar(link: &pg_sys::SubLink) -> Option<*mut Node> {
    if link.subLinkType != pg_sys::SubLinkType::EXPR_SUBLINK || !is(link.subselect, NodeTag::T_Query) {
        return None;
    }
    // SAFETY: its tag says so.
    let query = unsafe { typed::<pg_sys::Query>(link.subselect) };
    // SAFETY: null, or the FROM clause of this query.
    let from = unsafe { query.jointree.as_ref() }?;
    let is_bare = query.commandType == pg_sys::CmdType::CMD_SELECT
        && query.utilityStmt.is_null()
        && !(query.hasAggs || query.hasWindowFuncs || query.hasTargetSRFs || query.hasSubLinks)
        && !(query.hasDistinctOn || query.hasRecursive || query.hasModifyingCTE || query.hasForUpdate)
        && from.quals.is_null()
        && query.havingQual.is_null()
        && query.limitOffset.is_null()
        && query.limitCount.is_null()
        && query.setOperations.is_null();
    // An empty list is a null pointer.
    let has_no_clauses = [
        from.fromlist,
        query.cteList,
        query.rtable,
        query.groupClause,
        query.groupingSets,
        query.windowClause,
        query.distinctClause,
        query.sortClause,
        query.rowMarks,
        query.withCheckOptions,
    ]
    .iter()
    .all(|clause| clause.is_null());
    if !is_bare || !has_no_clauses {
        return None;
    }
    let (mut count, mut expression) = (0, None);
    each(query.targetList, |entry| {
        // SAFETY: a target list has nothing but these.
        let entry = unsafe { typed::<pg_sys::TargetEntry>(entry) };
        count += 1;
        expression = (!entry.resjunk).then_some(entry.expr.cast::<Node>());
    });
    expression.filter(|_| count == 1)
}

/// A copy of an expression, as it is written one query further out. A copy, in case that the tree has it twice.
pub fn one_level_up(expression: *mut Node) -> *mut Node {
    // SAFETY: copies a whole tree, in the planner's memory.
    let copy = unsafe { pg_sys::copyObjectImpl(expression.cast()) }.cast::<Node>();
    // SAFETY: the copy is ours; columns of this level, of which a movable expression has none, would become -1.
    unsafe { pg_sys::IncrementVarSublevelsUp(copy, -1, 1) };
    copy
}
