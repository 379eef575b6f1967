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

use crate::pg::catalogs::Catalogs;

static INSTALLED: OnceLock<Installed> = OnceLock::new();

struct Installed {
    check: fn(&Catalogs),
    /// The hooks that were installed before.
    executor: pg_sys::ExecutorStart_hook_type,
    utility: pg_sys::ProcessUtility_hook_type,
    access: pg_sys::object_access_hook_type,
}

/// Has `check` run before the next statement of this process that has a transaction, and then never again. The first call
/// counts, other calls do nothing. `check` can end the session.
pub fn before(check: fn(&Catalogs)) {
    INSTALLED.get_or_init(|| {
        // SAFETY: reads a global of this process, which has one thread.
        let executor = unsafe { pg_sys::ExecutorStart_hook };
        // SAFETY: reads a global of this process, which has one thread.
        let utility = unsafe { pg_sys::ProcessUtility_hook };
        // SAFETY: reads a global of this process, which has one thread.
        let access = unsafe { pg_sys::object_access_hook };
        // SAFETY: writes the global; the function has the hook's type, and the library is never unloaded.
        unsafe { pg_sys::ExecutorStart_hook = Some(executor_start) };
        // SAFETY: writes the global; the function has the hook's type, and the library is never unloaded.
        unsafe { pg_sys::ProcessUtility_hook = Some(process_utility) };
        // SAFETY: writes the global; the function has the hook's type, and the library is never unloaded.
        unsafe { pg_sys::object_access_hook = Some(object_access) };
        Installed {
            check,
            executor,
            utility,
            access,
        }
    });
}

#[pg_guard]
extern "C-unwind" fn run_once() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.load(Relaxed) {
        return;
    }
    if let (Some(installed), Some(catalogs)) = (INSTALLED.get(), Catalogs::open()) {
        (installed.check)(&catalogs);
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

/// Owns nothing that must be dropped, so that an error of PostgreSQL's may pass through it.
unsafe extern "C-unwind" fn executor_start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    run_once();
    let next = INSTALLED
        .get()
        .and_then(|installed| installed.executor)
        .unwrap_or(standard_ExecutorStart);
    #[expect(ffi_unwind_calls, reason = "as C would")]
    // SAFETY: `next` is the previous hook or PostgreSQL's own function, and gets PostgreSQL's arguments.
    unsafe {
        next(query, flags)
    };
}

/// Owns nothing that must be dropped, so that an error of PostgreSQL's may pass through it.
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
    if let Some(next) = INSTALLED.get().and_then(|installed| installed.access) {
        #[expect(ffi_unwind_calls, reason = "as C would")]
        // SAFETY: `next` is the previous hook, and gets PostgreSQL's arguments.
        unsafe {
            next(access, class, object, sub_object, argument)
        };
    }
}

/// Owns nothing that must be dropped, so that an error of PostgreSQL's may pass through it.
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
    let next = INSTALLED
        .get()
        .and_then(|installed| installed.utility)
        .unwrap_or(standard_ProcessUtility);
    #[expect(ffi_unwind_calls, reason = "as C would")]
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
