//! A check that runs once, before the first statement of a session.
//!
//! Three hooks are needed. The executor and ProcessUtility see all statements, which includes those that create, change
//! and drop objects. The object access hook sees a function that runs outside of them: the client (the protocol's
//! FunctionCall) or the planner calls it.

use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::pg::catalog_scan::Catalogs;
use crate::pg::hooks::Hook;

type ExecutorStart = unsafe extern "C-unwind" fn(*mut pg_sys::QueryDesc, c_int);
type ProcessUtility = unsafe extern "C-unwind" fn(
    *mut pg_sys::PlannedStmt,
    *const c_char,
    bool,
    pg_sys::ProcessUtilityContext::Type,
    pg_sys::ParamListInfo,
    *mut pg_sys::QueryEnvironment,
    *mut pg_sys::DestReceiver,
    *mut pg_sys::QueryCompletion,
);
type ObjectAccess =
    unsafe extern "C-unwind" fn(pg_sys::ObjectAccessType::Type, pg_sys::Oid, pg_sys::Oid, c_int, *mut c_void);

static EXECUTOR: Hook<ExecutorStart, ()> = Hook::new(|| &raw mut pg_sys::ExecutorStart_hook, executor_start);
static UTILITY: Hook<ProcessUtility, ()> = Hook::new(|| &raw mut pg_sys::ProcessUtility_hook, process_utility);
static ACCESS: Hook<ObjectAccess, ()> = Hook::new(|| &raw mut pg_sys::object_access_hook, object_access);

static CHECK: OnceLock<fn(&Catalogs)> = OnceLock::new();

/// Has `check` run before the next statement of this process that has a transaction, and then never again. The first call
/// counts, other calls do nothing. `check` can end the session.
pub fn before(check: fn(&Catalogs)) {
    CHECK.get_or_init(|| check);
    EXECUTOR.install(());
    UTILITY.install(());
    ACCESS.install(());
}

#[pg_guard]
extern "C-unwind" fn run_once() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.load(Relaxed) {
        return;
    }
    if let (Some(check), Some(catalogs)) = (CHECK.get(), Catalogs::open()) {
        check(&catalogs);
        DONE.store(true, Relaxed);
    }
}

// Not through pgrx, whose guard would stand between PostgreSQL and its own errors.
unsafe extern "C-unwind" {
    fn standard_ExecutorStart(query: *mut pg_sys::QueryDesc, flags: c_int);
    fn standard_ProcessUtility(
        statement: *mut pg_sys::PlannedStmt,
        text: *const c_char,
        read_only_tree: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        destination: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
}

#[expect(ffi_unwind_calls, reason = "no Rust value on the stack has a destructor")]
unsafe extern "C-unwind" fn executor_start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    run_once();
    let next = EXECUTOR.previous().unwrap_or(standard_ExecutorStart);
    // SAFETY: `next` is the previous hook or PostgreSQL's own function, and gets PostgreSQL's arguments.
    unsafe { next(query, flags) };
}

#[expect(ffi_unwind_calls, reason = "no Rust value on the stack has a destructor")]
unsafe extern "C-unwind" fn object_access(
    access: pg_sys::ObjectAccessType::Type,
    class: pg_sys::Oid,
    object: pg_sys::Oid,
    sub_object: c_int,
    argument: *mut c_void,
) {
    if access == pg_sys::ObjectAccessType::OAT_FUNCTION_EXECUTE {
        run_once();
    }
    if let Some(next) = ACCESS.previous() {
        // SAFETY: `next` is the previous hook, and gets PostgreSQL's arguments.
        unsafe { next(access, class, object, sub_object, argument) };
    }
}

#[expect(ffi_unwind_calls, reason = "no Rust value on the stack has a destructor")]
unsafe extern "C-unwind" fn process_utility(
    statement: *mut pg_sys::PlannedStmt,
    text: *const c_char,
    read_only_tree: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    destination: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    run_once();
    let next = UTILITY.previous().unwrap_or(standard_ProcessUtility);
    // SAFETY: `next` is the previous hook or PostgreSQL's own function, and gets PostgreSQL's arguments.
    unsafe {
        next(
            statement,
            text,
            read_only_tree,
            context,
            parameters,
            environment,
            destination,
            completion,
        )
    };
}
