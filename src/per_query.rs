//! One value for each call site of a query, made on its first row and handed out again on the others.
//!
//! A policy calls a reader once for each row. Its answer is the same for all of them, unless a setting was assigned, the
//! role changed or another statement or transaction began meanwhile; four comparisons tell.
//!
//! # Whose memory an answer is in
//! User code can run between the moment in which a reader hands out a value and the last use of that value, and it can
//! change the identity and call the same site again, as often as it likes. PostgreSQL lets a function's result live
//! until the expression's per-tuple memory is reset, which is a child of the query's. So:
//!
//! - An answer is made in scratch memory of this file's own, which is emptied before and after: what `jsonb_in` leaves
//!   behind never waits for the end of a row.
//! - A site that keeps it has a copy in the memory of the query (`fn_mcxt`), which PostgreSQL frees as a whole when the
//!   query ends. **Nothing here frees a value that was handed out.**
//! - A site keeps at most [`MAX_ANSWERS`] that differ, so that a query's memory stays bounded. After that it keeps none:
//!   each call gets a copy in the caller's memory, as from any function.

use std::cell::Cell;
use std::ptr;

use pgrx::pg_sys::{self, Datum};
use pgrx::prelude::*;

use crate::ereport::Report;
use crate::settings;

// Not through pgrx, whose guard against errors costs more than the calls: each reads a global and raises nothing.
unsafe extern "C" {
    safe fn GetCurrentStatementStartTimestamp() -> pg_sys::TimestampTz;
    safe fn GetCurrentTransactionStartTimestamp() -> pg_sys::TimestampTz;
    safe fn GetOuterUserId() -> pg_sys::Oid;
}

/// `utils/uuid.h`, UUID_LEN.
const UUID_BYTES: usize = 16;

/// What an answer depends on.
struct Moment {
    assignments: u64,
    statement: pg_sys::TimestampTz,
    /// A statement that commits goes on in another transaction.
    transaction: pg_sys::TimestampTz,
    role: pg_sys::Oid,
}

/// Answers that a site keeps one after the other; the largest has the 64 KB of a token's claims.
const MAX_ANSWERS: u8 = 4;

/// Hangs on a call site (`fn_extra`), in the memory of its query, and is freed with it.
struct Kept {
    moment: Moment,
    value: Datum,
    is_null: bool,
    /// How many were kept here, this one included.
    answers: u8,
}

thread_local! {
    /// Where answers are made. Nobody else uses it, and making an answer makes no other one.
    static SCRATCH: Cell<pg_sys::MemoryContext> = const { Cell::new(ptr::null_mut()) };
}

impl Moment {
    /// Now; None where something that this library cannot watch may change before the next row.
    #[inline]
    fn now() -> Option<Self> {
        settings::assignments().map(|assignments| Moment {
            assignments,
            statement: GetCurrentStatementStartTimestamp(),
            transaction: GetCurrentTransactionStartTimestamp(),
            role: GetOuterUserId(),
        })
    }

    /// A moment that is never now: [`settings::assignments`] counts from 1.
    const NEVER: Self = Moment {
        assignments: 0,
        statement: 0,
        transaction: 0,
        role: pg_sys::InvalidOid,
    };

    /// Whether it is still that moment. One of which something could change unseen was never kept.
    #[inline]
    fn lasts(&self) -> bool {
        settings::assignments_counted() == self.assignments
            && GetCurrentStatementStartTimestamp() == self.statement
            && GetCurrentTransactionStartTimestamp() == self.transaction
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
    // SAFETY: null, or what `value` has written for this call site and nobody else touches.
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
    // SAFETY: null, or what is written below for this call site and nobody else touches.
    let kept = unsafe { site.fn_extra.cast::<Kept>().as_mut() };
    if kept.is_none() {
        check_declared(site.fn_oid, returns);
    }
    let moment = Moment::now();
    let caller = in_scratch();
    let made = make();
    // SAFETY: the context was current before, and lives as long as the call.
    unsafe { pg_sys::MemoryContextSwitchTo(caller) };
    let answer = match (kept, moment) {
        (Some(kept), Some(moment)) if kept.is(made, returns) => {
            kept.moment = moment;
            (!kept.is_null).then_some(kept.value)
        }
        (Some(kept), Some(moment)) if kept.answers < MAX_ANSWERS => {
            let value = made.map(|made| copy(made, returns, site.fn_mcxt));
            *kept = Kept::new(moment, value, kept.answers + 1);
            value
        }
        (None, Some(moment)) => {
            let value = made.map(|made| copy(made, returns, site.fn_mcxt));
            // SAFETY: the context of the call site outlives it; an error leaves nothing behind.
            let block = unsafe { pg_sys::MemoryContextAlloc(site.fn_mcxt, size_of::<Kept>()) }.cast::<Kept>();
            // SAFETY: the block is fresh, aligned for every type, and a Kept fits; it owns nothing that must be dropped.
            unsafe { block.write(Kept::new(moment, value, 1)) };
            site.fn_extra = block.cast();
            value
        }
        (kept, _) => {
            if let Some(kept) = kept {
                kept.moment = Moment::NEVER;
                kept.answers = MAX_ANSWERS;
            }
            made.map(|made| copy(made, returns, caller))
        }
    };
    empty_scratch();
    answer
}

impl Kept {
    fn new(moment: Moment, value: Option<Datum>, answers: u8) -> Self {
        Kept {
            moment,
            value: value.unwrap_or(Datum::null()),
            is_null: value.is_none(),
            answers,
        }
    }

    /// Whether the kept answer is this one. It may be one that was kept some moments ago: it still lives.
    fn is(&self, made: Option<Datum>, returns: pg_sys::Oid) -> bool {
        match made {
            None => self.is_null,
            Some(made) => !self.is_null && bytes(self.value, returns) == bytes(made, returns),
        }
    }
}

/// Makes the scratch memory the current one, empty, and gives the one that was.
fn in_scratch() -> pg_sys::MemoryContext {
    if SCRATCH.get().is_null() {
        // SAFETY: reads a global of this process.
        let parent = unsafe { pg_sys::TopMemoryContext };
        // SAFETY: the parent and the name live as long as the process.
        let scratch = unsafe {
            pg_sys::AllocSetContextCreateInternal(
                parent,
                c"pg_session_jwt answers".as_ptr(),
                pg_sys::ALLOCSET_SMALL_MINSIZE as usize,
                pg_sys::ALLOCSET_SMALL_INITSIZE as usize,
                pg_sys::ALLOCSET_SMALL_MAXSIZE as usize,
            )
        };
        SCRATCH.set(scratch);
    }
    // What an error left there.
    empty_scratch();
    // SAFETY: a context of this process, which is never deleted.
    unsafe { pg_sys::MemoryContextSwitchTo(SCRATCH.get()) }
}

fn empty_scratch() {
    // SAFETY: a context of this file's own, and what was in it was copied.
    unsafe { pg_sys::MemoryContextReset(SCRATCH.get()) };
}

/// The bytes of a value.
fn bytes<'a>(value: Datum, returns: pg_sys::Oid) -> &'a [u8] {
    let start = value.cast_mut_ptr::<u8>();
    let length = if returns == pg_sys::UUIDOID {
        UUID_BYTES
    } else {
        // SAFETY: every other type here is a varlena, made here and not toasted.
        unsafe { pgrx::varlena::varsize_any(start.cast()) }
    };
    // SAFETY: so many bytes of a value that was made here and is not freed while the slice is looked at.
    unsafe { std::slice::from_raw_parts(start, length) }
}

/// A copy in some memory.
fn copy(value: Datum, returns: pg_sys::Oid, memory: pg_sys::MemoryContext) -> Datum {
    let source = bytes(value, returns);
    // SAFETY: the memory is the query's or the caller's, and lives.
    let copy = unsafe { pg_sys::MemoryContextAlloc(memory, source.len()) }.cast::<u8>();
    // SAFETY: both have so many bytes, and a fresh block overlaps nothing.
    unsafe { ptr::copy_nonoverlapping(source.as_ptr(), copy, source.len()) };
    Datum::from(copy)
}

fn check_declared(function: pg_sys::Oid, returns: pg_sys::Oid) {
    // SAFETY: a catalog look-up inside of a transaction.
    if function == pg_sys::InvalidOid || unsafe { pg_sys::get_func_rettype(function) } == returns {
        return;
    }
    Report {
        sqlstate: PgSqlErrorCode::ERRCODE_INVALID_FUNCTION_DEFINITION,
        message: "a function of pg_session_jwt is declared with another return type than it has".to_owned(),
        detail: None,
        hint: Some("ALTER EXTENSION pg_session_jwt UPDATE declares it anew."),
    }
    .emit(PgLogLevel::ERROR);
}
