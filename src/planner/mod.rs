//! Policies that use the index although they are written as sub-selects.
//!
//! Drizzle's `authUid` and `crudPolicy` write `USING ((select auth.user_id() = user_id))`. PostgreSQL runs that as a
//! sub-plan for each row and cannot look it up in an index. Before a query is planned, such a sub-select is replaced by
//! the expression in it, which has the same value for every row.
//!
//! Only this is touched, in conditions (policies, WHERE, ON, WITH CHECK, ON CONFLICT and MERGE): a scalar sub-select
//! that is nothing but one expression, which calls a function of this extension, refers to the row outside, and cannot
//! fail (see [`movable`]). `pg_session_jwt.optimize_policies` turns it off.
//!
//! The planner itself is called without a guard of ours, as C would call it: its errors are PostgreSQL's own.

mod functions;
mod movable;

use std::ffi::c_char;
use std::sync::OnceLock;

use pgrx::pg_sys::{self, Node, NodeTag, Query};
use pgrx::prelude::*;

use crate::guc::values;
use crate::identity::current;
use crate::pg::nodes::{self, is, node, typed};
use crate::planner::functions::Functions;
use crate::planner::movable::is_movable;
use crate::token::identity::FlatIdentity;

// Not through pgrx, which would put a guard between the planner's errors and PostgreSQL.
unsafe extern "C-unwind" {
    fn standard_planner(
        query: *mut Query,
        text: *const c_char,
        cursor_options: i32,
        parameters: pg_sys::ParamListInfo,
    ) -> *mut pg_sys::PlannedStmt;
}

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

/// Has no destructors to run and no guard: an error of the planner passes it as it passes a C function.
#[expect(
    ffi_unwind_calls,
    reason = "nothing of Rust's is on the stack that an error would have to unwind"
)]
unsafe extern "C-unwind" fn plan(
    query: *mut Query,
    text: *const c_char,
    cursor_options: i32,
    parameters: pg_sys::ParamListInfo,
) -> *mut pg_sys::PlannedStmt {
    if values::optimize_policies() {
        // SAFETY: the planner is called with a query that is its own to change.
        unsafe { improve_guarded(query) };
    }
    match PREVIOUS.get() {
        // SAFETY: the hook that was there before, called as PostgreSQL would.
        Some(Some(previous)) => unsafe { previous(query, text, cursor_options, parameters) },
        // SAFETY: what PostgreSQL calls where there is no hook.
        _ => unsafe { standard_planner(query, text, cursor_options, parameters) },
    }
}

/// The work of the hook, under a guard that ends before the planner is called.
#[pg_guard]
unsafe extern "C-unwind" fn improve_guarded(query: *mut Query) {
    // SAFETY: the caller's promise.
    if let Some(query) = unsafe { query.as_mut() } {
        Rewrite::default().improve(query);
    }
}

/// One statement that is planned.
#[derive(Default)]
struct Rewrite {
    functions: Functions,
    /// Whether the session's identity can be read; None before it was asked.
    identity_holds: Option<bool>,
}

impl Rewrite {
    /// Improves the conditions of a query, and of every query in it.
    fn improve(&mut self, query: &mut Query) {
        if nodes::is_too_deep() {
            return;
        }
        let has_sub_selects = query.hasSubLinks;
        nodes::each(query.rtable, |entry| {
            // SAFETY: a range table has nothing but these.
            let entry = unsafe { typed::<pg_sys::RangeTblEntry>(entry) };
            if has_sub_selects {
                self.improve_condition(node(&mut entry.securityQuals));
            }
            // SAFETY: null, or the sub-query of this entry.
            if let Some(query) = unsafe { entry.subquery.as_mut() } {
                self.improve(query);
            }
        });
        nodes::each(query.cteList, |with| {
            // SAFETY: a list of WITH clauses has nothing but these.
            let with = unsafe { typed::<pg_sys::CommonTableExpr>(with) };
            self.improve_queries_in(&mut with.ctequery);
        });
        if !has_sub_selects {
            return;
        }
        self.improve_condition(node(&mut query.jointree));
        nodes::each(query.withCheckOptions, |option| {
            // SAFETY: a list of check options has nothing but these.
            let option = unsafe { typed::<pg_sys::WithCheckOption>(option) };
            self.improve_condition(&mut option.qual);
        });
        // SAFETY: null, or the ON CONFLICT clause of this query.
        if let Some(on_conflict) = unsafe { query.onConflict.as_mut() } {
            self.improve_condition(&mut on_conflict.onConflictWhere);
        }
        nodes::each(query.mergeActionList, |action| {
            // SAFETY: a list of merge actions has nothing but these.
            let action = unsafe { typed::<pg_sys::MergeAction>(action) };
            self.improve_condition(&mut action.qual);
        });
        #[cfg(any(feature = "pg17", feature = "pg18"))]
        self.improve_condition(&mut query.mergeJoinCondition);
        for list in [&mut query.targetList, &mut query.returningList] {
            self.improve_queries_in(node(list));
        }
        self.improve_queries_in(&mut query.havingQual);
    }

    /// Replaces the sub-selects in a condition by what is in them, where that is the same.
    fn improve_condition(&mut self, place: &mut *mut Node) {
        if place.is_null() || nodes::is_too_deep() {
            return;
        }
        nodes::each_child(*place, |child| self.improve_condition(child));
        if is(*place, NodeTag::T_SubLink) {
            // SAFETY: its tag says so.
            let link = unsafe { typed::<pg_sys::SubLink>(*place) };
            self.improve_queries_in(&mut link.subselect);
            if let Some(expression) = nodes::scalar(link)
                && is_movable(expression, &mut self.functions)
                && self.identity_holds()
            {
                *place = nodes::one_level_up(expression);
            }
        }
    }

    /// Finds the queries in an expression that is no condition, whose value is left as it is written.
    fn improve_queries_in(&mut self, place: &mut *mut Node) {
        if place.is_null() || nodes::is_too_deep() {
            return;
        }
        if is(*place, NodeTag::T_Query) {
            // SAFETY: its tag says so.
            self.improve(unsafe { typed::<Query>(*place) });
            return;
        }
        if is(*place, NodeTag::T_SubLink) {
            // SAFETY: its tag says so.
            let link = unsafe { typed::<pg_sys::SubLink>(*place) };
            self.improve_queries_in(&mut link.subselect);
        }
        nodes::each_child(*place, |child| self.improve_queries_in(child));
    }

    /// Whether every reader would answer now. One that refuses would do so while the planner estimates, in statements that
    /// have no row for it; so there the sub-selects stay what they are.
    fn identity_holds(&mut self) -> bool {
        let answers = |identity: Option<FlatIdentity<'_>>| identity.is_none_or(|it| !it.user_id_malformed());
        *self
            .identity_holds
            .get_or_insert_with(|| current::read(answers).unwrap_or(false))
    }
}
