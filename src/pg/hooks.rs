//! PostgreSQL's hooks: each entry point does the work of this library and calls the hook that was installed before.
//!
//! An entry point has no guard and no value with a destructor. An error of PostgreSQL or of another library therefore
//! passes it as it passes a C function. The work of this library runs under a guard, which ends before the previous hook is called.

use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;

use pgrx::pg_sys::{self, ErrorData, ParamListInfo, PlannedStmt};
use pgrx::prelude::*;

use crate::pg::nodes::{Query, View};

/// A hook variable of PostgreSQL with functions of type `F`, and work of type `W` for it.
pub(super) struct Hook<F: 'static, W> {
    variable: fn() -> *mut Option<F>,
    entry: F,
    installed: OnceLock<Installed<F, W>>,
}

struct Installed<F, W> {
    previous: Option<F>,
    work: W,
}

impl<F: Copy, W: Copy> Hook<F, W> {
    pub(super) const fn new(variable: fn() -> *mut Option<F>, entry: F) -> Self {
        Hook {
            variable,
            entry,
            installed: OnceLock::new(),
        }
    }

    /// Puts the entry point into the variable, once in a process.
    pub(super) fn install(&self, work: W) {
        self.installed.get_or_init(|| {
            let variable = (self.variable)();
            // SAFETY: a global of PostgreSQL; the process has one thread when it loads a library.
            let previous = unsafe { *variable };
            // SAFETY: the same global and thread; the entry point lives as long as the library, which is never unloaded.
            unsafe { *variable = Some(self.entry) };
            Installed { previous, work }
        });
    }

    pub(super) fn previous(&self) -> Option<F> {
        self.installed.get().and_then(|installed| installed.previous)
    }

    fn work(&self) -> Option<W> {
        self.installed.get().map(|installed| installed.work)
    }
}

#[cfg(not(feature = "pg19"))]
type Planner = unsafe extern "C-unwind" fn(*mut pg_sys::Query, *const c_char, c_int, ParamListInfo) -> *mut PlannedStmt;
#[cfg(feature = "pg19")]
type Planner = unsafe extern "C-unwind" fn(
    *mut pg_sys::Query,
    *const c_char,
    c_int,
    ParamListInfo,
    *mut pg_sys::ExplainState,
) -> *mut PlannedStmt;

static PLANNER: Hook<Planner, for<'t> fn(View<'t, Query>)> = Hook::new(|| &raw mut pg_sys::planner_hook, plan);

// Not through pgrx, which would put a guard between the planner's errors and PostgreSQL.
unsafe extern "C-unwind" {
    fn standard_planner(
        query: *mut pg_sys::Query,
        text: *const c_char,
        cursor_options: c_int,
        parameters: ParamListInfo,
        #[cfg(feature = "pg19")] explain: *mut pg_sys::ExplainState,
    ) -> *mut PlannedStmt;
}

/// Runs `work` on each query before it is planned.
pub fn before_planning(work: for<'t> fn(View<'t, Query>)) {
    PLANNER.install(work);
}

#[expect(ffi_unwind_calls, reason = "no Rust value on the stack has a destructor")]
unsafe extern "C-unwind" fn plan(
    query: *mut pg_sys::Query,
    text: *const c_char,
    cursor_options: c_int,
    parameters: ParamListInfo,
    #[cfg(feature = "pg19")] explain: *mut pg_sys::ExplainState,
) -> *mut PlannedStmt {
    // SAFETY: PostgreSQL passes the query that is to be planned.
    unsafe { before_planning_guarded(query) };
    let next = PLANNER.previous().unwrap_or(standard_planner);
    // SAFETY: `next` is the previous hook or PostgreSQL's own function, and gets PostgreSQL's arguments.
    #[cfg(not(feature = "pg19"))]
    unsafe {
        next(query, text, cursor_options, parameters)
    }
    // SAFETY: `next` is the previous hook or PostgreSQL's own function, and gets PostgreSQL's arguments.
    #[cfg(feature = "pg19")]
    unsafe {
        next(query, text, cursor_options, parameters, explain)
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn before_planning_guarded(query: *mut pg_sys::Query) {
    // SAFETY: the caller passes PostgreSQL's query, whose tree outlives the call and which nothing else uses meanwhile.
    if let (Some(work), Some(query)) = (PLANNER.work(), unsafe { View::from_pointer(query) }) {
        work(query);
    }
}

type EmitLog = unsafe extern "C-unwind" fn(*mut ErrorData);

static EMIT_LOG: Hook<EmitLog, fn(&mut ErrorData)> = Hook::new(|| &raw mut pg_sys::emit_log_hook, emit_log);

/// Runs `work` on each report before it is logged or sent.
pub fn before_logging(work: fn(&mut ErrorData)) {
    EMIT_LOG.install(work);
}

#[expect(ffi_unwind_calls, reason = "no Rust value on the stack has a destructor")]
unsafe extern "C-unwind" fn emit_log(error: *mut ErrorData) {
    // SAFETY: PostgreSQL passes the report that it is about to log.
    unsafe { before_logging_guarded(error) };
    if let Some(previous) = EMIT_LOG.previous() {
        // SAFETY: the argument is the one that PostgreSQL passed.
        unsafe { previous(error) };
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn before_logging_guarded(error: *mut ErrorData) {
    // SAFETY: the caller passes PostgreSQL's report, which the hook may change and nothing else uses meanwhile.
    if let (Some(work), Some(error)) = (EMIT_LOG.work(), unsafe { error.as_mut() }) {
        work(error);
    }
}

/// `libpq/auth.h`, which pgrx does not bind; the first argument is a Port.
type ClientAuthentication = unsafe extern "C-unwind" fn(*mut c_void, c_int);

unsafe extern "C" {
    static mut ClientAuthentication_hook: Option<ClientAuthentication>;
}

static CLIENT_AUTHENTICATION: Hook<ClientAuthentication, fn()> =
    Hook::new(|| &raw mut ClientAuthentication_hook, authenticated);

/// Runs `work` in each new session after the client was authenticated, before the options of its startup packet are
/// applied.
pub fn after_authentication(work: fn()) {
    CLIENT_AUTHENTICATION.install(work);
}

#[expect(ffi_unwind_calls, reason = "no Rust value on the stack has a destructor")]
unsafe extern "C-unwind" fn authenticated(port: *mut c_void, status: c_int) {
    if let Some(previous) = CLIENT_AUTHENTICATION.previous() {
        // SAFETY: the arguments are those that PostgreSQL passed.
        unsafe { previous(port, status) };
    }
    after_authentication_guarded();
}

#[pg_guard]
extern "C-unwind" fn after_authentication_guarded() {
    if let Some(work) = CLIENT_AUTHENTICATION.work() {
        work();
    }
}

type ParameterSet =
    unsafe extern "C-unwind" fn(pg_sys::ObjectAccessType::Type, pg_sys::Oid, *const c_char, c_int, *mut c_void);

static PARAMETER_SET: Hook<ParameterSet, fn()> = Hook::new(|| &raw mut pg_sys::object_access_hook_str, parameter_set);

/// Runs `work` at the end of each SET and RESET.
pub fn after_set(work: fn()) {
    PARAMETER_SET.install(work);
}

#[expect(ffi_unwind_calls, reason = "no Rust value on the stack has a destructor")]
unsafe extern "C-unwind" fn parameter_set(
    access: pg_sys::ObjectAccessType::Type,
    class: pg_sys::Oid,
    object: *const c_char,
    part: c_int,
    argument: *mut c_void,
) {
    if access == pg_sys::ObjectAccessType::OAT_POST_ALTER
        && class == pg_sys::ParameterAclRelationId
        && part == pg_sys::ACL_SET as c_int
    {
        after_set_guarded();
    }
    if let Some(previous) = PARAMETER_SET.previous() {
        // SAFETY: the arguments are those that PostgreSQL passed.
        unsafe { previous(access, class, object, part, argument) };
    }
}

#[pg_guard]
extern "C-unwind" fn after_set_guarded() {
    if let Some(work) = PARAMETER_SET.work() {
        work();
    }
}
