//! One value for each call site of a query, made on its first row and handed out again on the others.
//!
//! A policy calls a reader once for each row. Its answer is the same for all of them, unless a setting was assigned, the
//! role changed or another statement began meanwhile; three comparisons tell.

use std::ptr;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::pg_sys::{self, Datum};
use pgrx::prelude::*;

use crate::settings;

// Not through pgrx, whose guard against errors costs more than the calls: both read a global and raise nothing.
unsafe extern "C" {
    safe fn GetCurrentStatementStartTimestamp() -> pg_sys::TimestampTz;
    safe fn GetOuterUserId() -> pg_sys::Oid;
}

/// `utils/uuid.h`, UUID_LEN.
const UUID_BYTES: usize = 16;

/// What an answer depends on.
struct Moment {
    assignments: u64,
    statement: pg_sys::TimestampTz,
    role: pg_sys::Oid,
}

/// Hangs on a call site (`fn_extra`), in the memory of its query, and is freed with it.
struct Kept {
    moment: Moment,
    value: Datum,
    is_null: bool,
    before: Option<Datum>,
}

impl Moment {
    /// Now; None where something that this library cannot watch may change before the next row.
    #[inline]
    fn now() -> Option<Self> {
        settings::assignments().map(|assignments| Moment {
            assignments,
            statement: GetCurrentStatementStartTimestamp(),
            role: GetOuterUserId(),
        })
    }

    /// Whether it is still that moment. One of which something could change unseen was never kept.
    #[inline]
    fn lasts(&self) -> bool {
        settings::assignments_counted() == self.assignments
            && GetCurrentStatementStartTimestamp() == self.statement
            && GetOuterUserId() == self.role
    }
}

/// The value that a call site keeps, as the answer to its call; None where it must be made.
///
/// # Safety
/// PostgreSQL has called one of this library's readers with `call`.
#[inline]
pub unsafe fn kept(call: pg_sys::FunctionCallInfo) -> Option<Datum> {
    // SAFETY: the caller's promise.
    let call = unsafe { &mut *call };
    // SAFETY: null (a direct call), or valid as long as the call.
    let site = unsafe { call.flinfo.as_ref() }?;
    // SAFETY: null, or what `remake` has written for this call site and nobody else touches.
    let kept = unsafe { site.fn_extra.cast::<Kept>().as_ref() }?;
    if !kept.moment.lasts() {
        return None;
    }
    call.isnull = kept.is_null;
    Some(kept.value)
}

/// The value that `make` gives, of type `returns`, which is passed by reference: for a call whose site keeps none, see
/// [`kept`]. It is kept for the rows that follow.
///
/// A function that was declared otherwise by an old installation script is refused: its caller would read the value as
/// something that it is not.
pub fn value(
    call: pg_sys::FunctionCallInfo,
    returns: pg_sys::Oid,
    make: impl FnOnce() -> Option<Datum>,
) -> Option<Datum> {
    // SAFETY: pgrx hands on what PostgreSQL called the function with.
    let flinfo = unsafe { (*call).flinfo };
    // SAFETY: null (a direct call), or valid as long as the call.
    let Some(site) = (unsafe { flinfo.as_mut() }) else {
        return make();
    };
    let kept = site.fn_extra.cast::<Kept>();
    if kept.is_null() {
        check_declared(site.fn_oid, returns);
    }
    remake(site, kept, Moment::now(), returns, make)
}

fn remake(
    site: &mut pg_sys::FmgrInfo,
    kept: *mut Kept,
    moment: Option<Moment>,
    returns: pg_sys::Oid,
    make: impl FnOnce() -> Option<Datum>,
) -> Option<Datum> {
    let made = make();
    let Some(moment) = moment else { return made };
    let value = made.map(|value| copy(value, returns, site.fn_mcxt));
    // SAFETY: null, or what is written below for this call site and nobody else touches.
    match unsafe { kept.as_mut() } {
        Some(kept) => {
            // The one before may still stand in a row that is on its way; the one before that cannot.
            if let Some(old) = kept.before.take() {
                // SAFETY: `copy` allocated it, and nobody else frees it.
                unsafe { pg_sys::pfree(old.cast_mut_ptr()) };
            }
            kept.before = (!kept.is_null).then_some(kept.value);
            (kept.value, kept.is_null) = (value.unwrap_or(Datum::null()), value.is_none());
            kept.moment = moment;
        }
        None => {
            // SAFETY: the context of the call site outlives it; an error leaves nothing behind.
            let block = unsafe { pg_sys::MemoryContextAlloc(site.fn_mcxt, size_of::<Kept>()) }.cast::<Kept>();
            // SAFETY: the block is fresh, aligned for every type, and a Kept fits; it owns nothing that must be dropped.
            unsafe {
                block.write(Kept {
                    moment,
                    value: value.unwrap_or(Datum::null()),
                    is_null: value.is_none(),
                    before: None,
                })
            };
            site.fn_extra = block.cast();
        }
    }
    value
}

/// A copy in the memory of the query.
fn copy(value: Datum, returns: pg_sys::Oid, memory: pg_sys::MemoryContext) -> Datum {
    let source = value.cast_mut_ptr::<u8>();
    let length = if returns == pg_sys::UUIDOID {
        UUID_BYTES
    } else {
        // SAFETY: every other type here is a varlena, just made and not toasted.
        unsafe { pgrx::varlena::varsize_any(source.cast()) }
    };
    // SAFETY: the context is the call site's, and lives.
    let copy = unsafe { pg_sys::MemoryContextAlloc(memory, length) }.cast::<u8>();
    // SAFETY: both have `length` bytes, and a fresh block overlaps nothing.
    unsafe { ptr::copy_nonoverlapping(source, copy, length) };
    Datum::from(copy)
}

fn check_declared(function: pg_sys::Oid, returns: pg_sys::Oid) {
    // SAFETY: a catalog look-up inside of a transaction.
    if function == pg_sys::InvalidOid || unsafe { pg_sys::get_func_rettype(function) } == returns {
        return;
    }
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_INVALID_FUNCTION_DEFINITION,
        "a function of pg_session_jwt is declared with another return type than it has",
        "pg_session_jwt",
    )
    .set_hint("ALTER EXTENSION pg_session_jwt UPDATE declares it anew.")
    .report(PgLogLevel::ERROR);
}
