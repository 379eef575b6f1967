//! The hooks of string settings, as a trait without pointers.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

use pgrx::prelude::*;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

use crate::guc::extra::{Block, Extra, Slot};
use crate::pg::ereport::Report;
use crate::pg::log_guard;

/// The outcome of a check hook: the block for the value, or the error that PostgreSQL reports.
pub type Checked<E> = Result<Option<Block<E>>, Report>;

/// A string setting whose values this library checks and assigns. No value (null) counts as an empty one.
pub trait StringHooks: 'static {
    /// What is attached to each value.
    type Extra: Extra + 'static;

    /// The slot that holds the block of the current value, where readers need it between assignments.
    const SLOT: Option<&'static Slot<Self::Extra>> = None;

    /// What SHOW prints in place of the value.
    const SHOW: Option<fn() -> &'static CStr> = None;

    /// Checks a value. Changes nothing (`src/backend/utils/misc/README`), and can run outside a transaction.
    fn check(value: &CStr, source: pg_sys::GucSource::Type) -> Checked<Self::Extra>;

    /// Follows an assignment, which can be a rollback. It must not fail. The setting's variable still has the old value;
    /// [`Self::SLOT`] has the new block.
    fn assign(value: &CStr, extra: Option<<Self::Extra as Extra>::View<'_>>);
}

/// The parts of a definition that guc.c reads.
pub(super) struct Definition {
    pub name: &'static CStr,
    pub description: &'static CStr,
    pub detail: &'static CStr,
    pub context: GucContext,
    pub flags: GucFlags,
}

/// Defines a string setting with the hooks of `H`.
pub(super) fn define<H: StringHooks>(setting: &'static GucSetting<Option<CString>>, of: Definition) {
    // SAFETY: the hooks have the types that PostgreSQL calls them with, are guarded, and live as long as the library.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            of.name,
            of.description,
            of.detail,
            setting,
            of.context,
            of.flags,
            Some(check::<H>),
            Some(assign::<H>),
            H::SHOW.map(|_| show::<H> as unsafe extern "C-unwind" fn() -> *const c_char),
        );
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn check<H: StringHooks>(
    newval: *mut *mut c_char,
    extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: PostgreSQL calls a check hook with the address of the value.
    let value = unsafe { *newval };
    // SAFETY: the value is null, or a C string that lives at least until the hook returns.
    match H::check(unsafe { text(value) }, source) {
        Ok(None) => true,
        Ok(Some(block)) => {
            let block = block.into_address();
            // SAFETY: PostgreSQL calls a check hook with an address for its block.
            unsafe { *extra = block };
            !block.is_null()
        }
        Err(report) => {
            reject(&report);
            false
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn assign<H: StringHooks>(newval: *const c_char, extra: *mut c_void) {
    if let Some(slot) = H::SLOT {
        // SAFETY: `check` above makes the blocks of this setting, and this is its only assign hook.
        unsafe { slot.assign(extra) };
    }
    // SAFETY: null, or the block that `check` made for this value, which lives until after the next assignment.
    let extra = unsafe { H::Extra::view(extra) };
    // SAFETY: null, or a C string that lives until the hook returns.
    H::assign(unsafe { text(newval) }, extra);
}

#[pg_guard]
unsafe extern "C-unwind" fn show<H: StringHooks>() -> *const c_char {
    H::SHOW.map_or(c"", |show| show()).as_ptr()
}

/// # Safety
/// `value` is null, or a C string that lives during `'a`.
unsafe fn text<'a>(value: *const c_char) -> &'a CStr {
    if value.is_null() {
        return c"";
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(value) }
}

/// Leaves a report where guc.c finds it after the check hook: it raises the report where an error is due.
fn reject(report: &Report) {
    log_guard::value_rejected(&report.message);
    // SAFETY: assigns a global of guc.c that exists for this.
    unsafe { pg_sys::GUC_check_errcode(report.sqlstate as i32) };
    let message = in_error_context(&report.message);
    let detail = report.detail.as_deref().map_or(ptr::null_mut(), in_error_context);
    let hint = report.hint.as_deref().map_or(ptr::null_mut(), in_error_context);
    // SAFETY: assigns a global of guc.c, which reads and resets it after the hook.
    unsafe { pg_sys::GUC_check_errmsg_string = message };
    // SAFETY: assigns a global of guc.c, which reads and resets it after the hook.
    unsafe { pg_sys::GUC_check_errdetail_string = detail };
    // SAFETY: assigns a global of guc.c, which reads and resets it after the hook.
    unsafe { pg_sys::GUC_check_errhint_string = hint };
}

/// Copies a text to where guc.c's own macros put it (`format_elog_string`). PostgreSQL resets that memory after each
/// error.
fn in_error_context(text: &str) -> *mut c_char {
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: reads a global that is set before any hook can run.
    let context = unsafe { pg_sys::ErrorContext };
    // SAFETY: the context lives as long as the process, and the text is a C string.
    unsafe { pg_sys::MemoryContextStrdup(context, text.as_ptr()) }
}
