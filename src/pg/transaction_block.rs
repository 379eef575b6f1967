//! Whether a setting for the transaction can have an effect after the function that sets it.

use std::ffi::c_void;

use pgrx::pg_sys;

// Not through pgrx: `ParamsErrorCallback` is only compared, and the others read the state of this process.
unsafe extern "C" {
    safe fn IsTransactionBlock() -> bool;
    safe fn IsSubTransaction() -> bool;
    fn ParamsErrorCallback(argument: *mut c_void);
}

/// Whether the transaction ends with the client's current statement, and this statement only calls one function:
/// nothing can read what they set for the transaction. PostgreSQL warns about SET LOCAL by the same rules
/// (`WarnNoTransactionBlock`).
///
/// A pipeline is known as one from its second statement on.
pub fn ends_with_call() -> bool {
    // SAFETY: reads a global of this process.
    let flags = unsafe { pg_sys::MyXactFlags };
    let in_pipeline = flags & pg_sys::XACT_FLAGS_PIPELINING as i32 != 0;
    !IsTransactionBlock() && !IsSubTransaction() && !in_pipeline && !in_function() && !does_more()
}

/// Whether the client's statement runs through a function or a block in another language. Each of them describes itself
/// in the CONTEXT of an error; besides these, only bound parameters do.
fn in_function() -> bool {
    // SAFETY: reads a global of this process.
    let mut entry = unsafe { pg_sys::error_context_stack };
    let of_parameters: unsafe extern "C" fn(*mut c_void) = ParamsErrorCallback;
    while !entry.is_null() {
        // SAFETY: an entry of the stack lives until the function that pushed it returns.
        let callback = unsafe { (*entry).callback };
        if callback.is_none_or(|callback| callback as usize != of_parameters as usize) {
            return true;
        }
        // SAFETY: an entry of the stack lives until the function that pushed it returns.
        entry = unsafe { (*entry).previous };
    }
    false
}

/// Whether the client's statement reads tables, calls another function, or is not a query. A call by the protocol's FunctionCall has no statement.
fn does_more() -> bool {
    // SAFETY: reads a global of this process.
    let portal = unsafe { pg_sys::ActivePortal };
    if portal.is_null() {
        return false;
    }
    // SAFETY: the active portal lives until its statement has ended.
    let query = unsafe { (*portal).queryDesc };
    if query.is_null() {
        return true;
    }
    // SAFETY: a portal with a query that runs has its plan.
    let plan = unsafe { (*query).plannedstmt };
    // SAFETY: the plan lives as long as its query.
    plan.is_null() || unsafe { !(*plan).relationOids.is_null() } || columns(plan) > 1
}

/// The number of expressions that a plan returns.
fn columns(plan: *const pg_sys::PlannedStmt) -> i32 {
    // SAFETY: the caller has a plan that runs.
    let tree = unsafe { (*plan).planTree };
    // SAFETY: null, or the tree of the plan.
    let list = unsafe { tree.as_ref() }.map_or(std::ptr::null_mut(), |tree| tree.targetlist);
    // SAFETY: null, for an empty list, or a list.
    unsafe { list.as_ref() }.map_or(0, |list| list.length)
}
