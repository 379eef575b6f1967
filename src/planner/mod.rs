//! Policies that use the index although they are written as sub-selects.
//!
//! Drizzle's `authUid` and `crudPolicy` write `USING ((select auth.user_id() = user_id))`. PostgreSQL runs that as a
//! sub-plan for each row and cannot look it up in an index. Before a query is planned, such a sub-select is replaced by
//! the expression in it, which has the same value for every row.
//!
//! Only this is touched, in conditions (policies, WHERE, ON, WITH CHECK, ON CONFLICT and MERGE): a scalar sub-select
//! that is nothing but one expression, which calls a function of this extension, refers to the row outside, and is made
//! of plain nodes (see [`tree`]) without AND, OR and NOT and without volatile functions. `pg_session_jwt.optimize_policies` turns it off.

pub mod tree;

use std::ffi::c_char;
use std::sync::OnceLock;

use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, Node, NodeTag, Query};
use pgrx::prelude::*;

use crate::settings;
use tree::{is, node, typed};

static PREVIOUS: OnceLock<pg_sys::planner_hook_type> = OnceLock::new();

/// Hooks into the planner, once in a process.
pub fn install() {
    PREVIOUS.get_or_init(|| {
        // SAFETY: reads a global of this process, which has one thread.
        let previous = unsafe { pg_sys::planner_hook };
        // SAFETY: writes it; the function lives as long as the library, which is never unloaded.
        unsafe { pg_sys::planner_hook = Some(plan) };
        previous
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn plan(
    query: *mut Query,
    text: *const c_char,
    cursor_options: i32,
    parameters: pg_sys::ParamListInfo,
) -> *mut pg_sys::PlannedStmt {
    // SAFETY: the planner is called with a query that is its own to change.
    if let Some(query) = unsafe { query.as_mut() }
        && settings::optimize_policies()
    {
        improve(query);
    }
    match PREVIOUS.get() {
        Some(Some(previous)) => {
            #[expect(ffi_unwind_calls, reason = "guarded below")]
            // SAFETY: the hook that was there before, called as PostgreSQL would.
            let previous = || unsafe { previous(query, text, cursor_options, parameters) };
            // SAFETY: the closure owns nothing that must be dropped, and this is the one thread.
            unsafe { pg_guard_ffi_boundary(previous) }
        }
        // SAFETY: what PostgreSQL calls where there is no hook.
        _ => unsafe { pg_sys::standard_planner(query, text, cursor_options, parameters) },
    }
}

/// Improves the conditions of a query, and of every query in it.
fn improve(query: &mut Query) {
    if tree::is_too_deep() {
        return;
    }
    let has_sub_selects = query.hasSubLinks;
    tree::each(query.rtable, |entry| {
        // SAFETY: a range table has nothing but these.
        let entry = unsafe { typed::<pg_sys::RangeTblEntry>(entry) };
        if has_sub_selects {
            improve_condition(node(&mut entry.securityQuals));
        }
        // SAFETY: null, or the sub-query of this entry.
        if let Some(query) = unsafe { entry.subquery.as_mut() } {
            improve(query);
        }
    });
    tree::each(query.cteList, |with| {
        // SAFETY: a list of WITH clauses has nothing but these.
        let with = unsafe { typed::<pg_sys::CommonTableExpr>(with) };
        improve_queries_in(&mut with.ctequery);
    });
    if !has_sub_selects {
        return;
    }
    improve_condition(node(&mut query.jointree));
    tree::each(query.withCheckOptions, |option| {
        // SAFETY: a list of check options has nothing but these.
        let option = unsafe { typed::<pg_sys::WithCheckOption>(option) };
        improve_condition(&mut option.qual);
    });
    // SAFETY: null, or the ON CONFLICT clause of this query.
    if let Some(on_conflict) = unsafe { query.onConflict.as_mut() } {
        improve_condition(&mut on_conflict.onConflictWhere);
    }
    tree::each(query.mergeActionList, |action| {
        // SAFETY: a list of merge actions has nothing but these.
        let action = unsafe { typed::<pg_sys::MergeAction>(action) };
        improve_condition(&mut action.qual);
    });
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    improve_condition(&mut query.mergeJoinCondition);
    for list in [&mut query.targetList, &mut query.returningList] {
        improve_queries_in(node(list));
    }
    improve_queries_in(&mut query.havingQual);
}

/// Replaces the sub-selects in a condition by what is in them, where that is the same.
fn improve_condition(place: &mut *mut Node) {
    if place.is_null() || tree::is_too_deep() {
        return;
    }
    tree::each_child(*place, improve_condition);
    if is(*place, NodeTag::T_SubLink) {
        // SAFETY: its tag says so.
        let link = unsafe { typed::<pg_sys::SubLink>(*place) };
        improve_queries_in(&mut link.subselect);
        if let Some(expression) = tree::scalar(link).filter(|expression| is_ours(*expression)) {
            *place = tree::one_level_up(expression);
        }
    }
}

/// Finds the queries in an expression that is no condition, whose value is left as it is written.
fn improve_queries_in(place: &mut *mut Node) {
    if place.is_null() || tree::is_too_deep() {
        return;
    }
    if is(*place, NodeTag::T_Query) {
        // SAFETY: its tag says so.
        improve(unsafe { typed::<Query>(*place) });
        return;
    }
    if is(*place, NodeTag::T_SubLink) {
        // SAFETY: its tag says so.
        let link = unsafe { typed::<pg_sys::SubLink>(*place) };
        improve_queries_in(&mut link.subselect);
    }
    tree::each_child(*place, improve_queries_in);
}

/// Whether an expression calls a function of this extension, and none that is volatile.
fn is_ours(expression: *mut Node) -> bool {
    // SAFETY: a catalog look-up inside of a transaction; missing_ok makes it return 0.
    let extension = unsafe { pg_sys::get_extension_oid(c"pg_session_jwt".as_ptr(), true) };
    if extension == pg_sys::InvalidOid {
        return false;
    }
    let mut ours = false;
    tree::each_function(expression, &mut |function| {
        // SAFETY: a catalog look-up inside of a transaction.
        ours |= unsafe { pg_sys::getExtensionOfObject(pg_sys::ProcedureRelationId, function) } == extension;
    });
    // SAFETY: an expression of the planner's query.
    ours && !unsafe { pg_sys::contain_volatile_functions(expression) }
}
