//! Tests that need a backend: they compare what this library reads in PostgreSQL's data with what PostgreSQL reads. Tests
//! of what SQL shows are in `tests/pg_regress` and in the tests that start a server.

#[pgrx::pg_schema]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::{CString, c_void};

    use pgrx::pg_sys::{self, Node, NodeTag};
    use pgrx::prelude::*;

    use crate::pg::nodes::{NodeRef, each_child};

    #[cfg(not(feature = "pg15"))]
    use pgrx::pg_sys::expression_tree_walker_impl;

    #[cfg(feature = "pg15")]
    unsafe extern "C" {
        /// nodeFuncs.c. PostgreSQL 15 declares it without the types of its callback's arguments, and bindgen leaves it out.
        #[link_name = "expression_tree_walker"]
        fn expression_tree_walker_impl(
            node: *mut Node,
            walker: Option<unsafe extern "C-unwind" fn(*mut Node, *mut c_void) -> bool>,
            context: *mut c_void,
        ) -> bool;
    }

    /// At least one node of each type that `each_child` knows.
    const EXPRESSIONS: &str = "
        create table t (a int, b text, c text[], d date, e varchar, f xml);
        create view expressions as
        select (a = 1 and b = 'x') or not a is null as bools,
               a is distinct from 2 as distinct_from, nullif(a, 3) as null_if, a = any (array[1, a]) as any_of,
               upper(b) as function, e = b as relabelled, a::text as by_text, c::varchar[] as of_elements,
               b collate \"C\" as collated, case a when 1 then b else 'z' end as simple_case,
               case when a > 1 then b when a > 2 then 'y' end as searched_case, coalesce(b, e, 'w') as first,
               greatest(a, 1, 2) as most, (row(a, b)).f1 is null as of_row, a in (select x from generate_series(1, 2) x)
                   as linked, (d is not null) is unknown as of_boolean
        from t left join (select 1 as j) s on s.j = t.a where a > 0;
        create view aggregates as select count(a), max(b) from t";

    /// Types of parent and child that PostgreSQL visits and `each_child` skips on purpose.
    const LEFT_OUT: [(NodeTag, NodeTag); 3] = [
        // A sub-select is not a child.
        (NodeTag::T_SubLink, NodeTag::T_Query),
        // The conversion of one element has no column of the row.
        (NodeTag::T_ArrayCoerceExpr, NodeTag::T_CaseTestExpr),
        (NodeTag::T_ArrayCoerceExpr, NodeTag::T_RelabelType),
    ];

    /// A node of a view's query, which lives until the test's transaction ends.
    type Tree = NodeRef<'static>;

    fn tree(pointer: *mut Node) -> Tree {
        // SAFETY: a node of the query that `query_of` has read, or null.
        unsafe { NodeRef::new(pointer) }
    }

    unsafe extern "C-unwind" fn note(node: *mut Node, context: *mut c_void) -> bool {
        if !node.is_null() {
            // SAFETY: `children_of_postgresql` passes a vector, which nothing else uses meanwhile.
            unsafe { &mut *context.cast::<Vec<*mut Node>>() }.push(node);
        }
        false
    }

    fn children_of_postgresql(parent: Tree) -> Vec<Tree> {
        let mut found: Vec<*mut Node> = Vec::new();
        // SAFETY: a node; the walker calls `note` with the context and stores nothing.
        unsafe { expression_tree_walker_impl(parent.pointer(), Some(note), (&raw mut found).cast()) };
        found.into_iter().map(tree).collect()
    }

    /// The children that `each_child` shows.
    fn children_of_ours(parent: Tree) -> Vec<Tree> {
        let mut found = Vec::new();
        each_child(parent, |child| found.push(child.node()));
        found.retain(|child| !child.is_null());
        found
    }

    /// The elements of each list, and the children of each branch of a CASE, which PostgreSQL's walker visits in one step.
    fn flat(nodes: Vec<Tree>) -> Vec<Tree> {
        let is_passed_through = |node: Tree| matches!(node.tag(), Some(NodeTag::T_List | NodeTag::T_CaseWhen));
        let flat_one = |node| match is_passed_through(node) {
            true => flat(children_of_ours(node)),
            false => vec![node],
        };
        nodes.into_iter().flat_map(flat_one).collect()
    }

    fn tag(node: Tree) -> NodeTag {
        node.tag().unwrap()
    }

    /// Compares everything below a node, and counts the nodes by type, as numbers.
    fn compare(parent: Tree, counted: &mut BTreeMap<u32, usize>) {
        let all = flat(children_of_postgresql(parent));
        let ours = flat(children_of_ours(parent));
        if !ours.is_empty() {
            *counted.entry(tag(parent) as u32).or_default() += 1;
            let theirs: Vec<_> = all
                .iter()
                .copied()
                .filter(|child| !LEFT_OUT.contains(&(tag(parent), tag(*child))))
                .collect();
            assert_eq!(ours, theirs, "{:?}", tag(parent));
        }
        for child in all.into_iter().filter(|child| tag(*child) != NodeTag::T_Query) {
            compare(child, counted);
        }
    }

    /// The query behind a view.
    fn query_of(view: &str) -> *mut pg_sys::Query {
        let action = format!("select ev_action::text from pg_rewrite where ev_class = '{view}'::regclass");
        let action = CString::new(Spi::get_one::<String>(&action).unwrap().unwrap()).unwrap();
        // SAFETY: PostgreSQL wrote the text; it is read into this transaction's memory.
        let queries = unsafe { pg_sys::stringToNode(action.as_ptr()) };
        // SAFETY: the text of a view is a list of one query.
        unsafe { pg_sys::list_nth(queries.cast(), 0) }.cast()
    }

    #[pg_test]
    fn the_planner_hook_sees_the_children_that_postgresql_sees() {
        Spi::run(EXPRESSIONS).unwrap();
        let mut counted = BTreeMap::new();
        for view in ["expressions", "aggregates"] {
            // SAFETY: `query_of` returns a query in this transaction's memory.
            let query = unsafe { &*query_of(view) };
            compare(tree(query.targetList.cast()), &mut counted);
            compare(tree(query.jointree.cast()), &mut counted);
        }
        let kinds = [
            NodeTag::T_List,
            NodeTag::T_FromExpr,
            NodeTag::T_JoinExpr,
            NodeTag::T_TargetEntry,
            NodeTag::T_BoolExpr,
            NodeTag::T_OpExpr,
            NodeTag::T_DistinctExpr,
            NodeTag::T_NullIfExpr,
            NodeTag::T_ScalarArrayOpExpr,
            NodeTag::T_FuncExpr,
            NodeTag::T_Aggref,
            NodeTag::T_RelabelType,
            NodeTag::T_CoerceViaIO,
            NodeTag::T_ArrayCoerceExpr,
            NodeTag::T_CollateExpr,
            NodeTag::T_CaseExpr,
            NodeTag::T_CoalesceExpr,
            NodeTag::T_MinMaxExpr,
            NodeTag::T_ArrayExpr,
            NodeTag::T_RowExpr,
            NodeTag::T_NullTest,
            NodeTag::T_BooleanTest,
            NodeTag::T_SubLink,
        ];
        for kind in kinds {
            assert!(counted.contains_key(&(kind as u32)), "no {kind:?} was compared");
        }
    }
}
