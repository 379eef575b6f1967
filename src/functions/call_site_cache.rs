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
//! - A site keeps at most [`MAX_ANSWERS`] that differ, and all sites together [`MAX_BYTES`], so that memory stays bounded,
//!   also where one "query" is all of a transaction's PL/pgSQL expressions and is planned again and again. Beyond that
//!   nothing is kept: each call gets a copy in the caller's memory, as from any function.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use pgrx::pg_sys::{self, Datum};
use pgrx::prelude::*;

use crate::guc::generation;
use crate::identity::mode;
use crate::pg::ereport::Report;

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

/// Bytes of all answers that are kept in this process at a time.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Hangs on a call site (`fn_extra`), in the memory of its query, and is freed with it.
struct Kept {
    /// Has PostgreSQL tell when that memory is freed.
    end: pg_sys::MemoryContextCallback,
    /// Of all answers that were kept here.
    bytes: usize,
    moment: Moment,
    value: Datum,
    is_null: bool,
    /// How many were kept here, this one included.
    answers: u8,
}

thread_local! {
    /// What all sites keep, of [`MAX_BYTES`].
    static KEPT_BYTES: Cell<usize> = const { Cell::new(0) };
    /// Where answers are made. Nobody else uses it, and making an answer makes no other one.
    static SCRATCH: Cell<pg_sys::MemoryContext> = const { Cell::new(ptr::null_mut()) };
}

impl Moment {
    /// Now; None where something that this library cannot watch may change before the next row.
    #[inline]
    fn now() -> Option<Self> {
        mode::assignments().map(|assignments| Moment {
            assignments,
            statement: GetCurrentStatementStartTimestamp(),
            transaction: GetCurrentTransactionStartTimestamp(),
            role: GetOuterUserId(),
        })
    }

    /// A moment that is never now: [`mode::assignments`] counts from 1.
    const NEVER: Self = Moment {
        assignments: 0,
        statement: 0,
        transaction: 0,
        role: pg_sys::InvalidOid,
    };

    /// Whether it is still that moment. One of which something could change unseen was never kept.
    #[inline]
    fn lasts(&self) -> bool {
        generation::assignments_counted() == self.assignments
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
    let length = made.map_or(0, |made| bytes(made, returns).len());
    let memory = site.fn_mcxt;
    let has_room = KEPT_BYTES.get() + length <= MAX_BYTES;
    let answer = match (kept, moment) {
        (Some(kept), Some(moment)) if kept.is(made, returns) => {
            kept.moment = moment;
            (!kept.is_null).then_some(kept.value)
        }
        (Some(kept), Some(moment)) if kept.answers < MAX_ANSWERS && has_room => {
            let value = made.map(|made| copy(made, returns, memory));
            kept.keep(moment, value, length);
            value
        }
        (None, Some(moment)) if has_room => {
            let kept = Kept::hang_on(site);
            let value = made.map(|made| copy(made, returns, memory));
            kept.keep(moment, value, length);
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
    /// What a call site keeps from now on: nothing yet.
    fn hang_on(site: &mut pg_sys::FmgrInfo) -> &mut Self {
        // SAFETY: the context of the call site outlives it; an error leaves nothing behind.
        let block = unsafe { pg_sys::MemoryContextAlloc(site.fn_mcxt, size_of::<Kept>()) }.cast::<Kept>();
        // SAFETY: the block is fresh, aligned for every type, and a Kept fits; it owns nothing that must be dropped.
        unsafe {
            block.write(Kept {
                end: pg_sys::MemoryContextCallback {
                    func: Some(forget),
                    arg: block.cast(),
                    next: ptr::null_mut(),
                },
                bytes: 0,
                moment: Moment::NEVER,
                value: Datum::null(),
                is_null: true,
                answers: 0,
            })
        };
        // SAFETY: as just written; the block lives as long as the context, which calls back before it is freed.
        let kept = unsafe { &mut *block };
        // SAFETY: as above.
        unsafe { pg_sys::MemoryContextRegisterResetCallback(site.fn_mcxt, &mut kept.end) };
        site.fn_extra = block.cast();
        kept
    }

    fn keep(&mut self, moment: Moment, value: Option<Datum>, length: usize) {
        self.moment = moment;
        (self.value, self.is_null) = (value.unwrap_or(Datum::null()), value.is_none());
        self.answers += 1;
        self.bytes += length;
        KEPT_BYTES.set(KEPT_BYTES.get() + length);
    }

    /// Whether the kept answer is this one. It may be one that was kept some moments ago: it still lives.
    fn is(&self, made: Option<Datum>, returns: pg_sys::Oid) -> bool {
        match made {
            None => self.is_null,
            Some(made) => !self.is_null && bytes(self.value, returns) == bytes(made, returns),
        }
    }
}

/// PostgreSQL is about to free the memory of a query, and with it what a site there keeps.
unsafe extern "C-unwind" fn forget(kept: *mut c_void) {
    // SAFETY: what `hang_on` registered, which is not freed yet.
    let kept = unsafe { &*kept.cast::<Kept>() };
    KEPT_BYTES.set(KEPT_BYTES.get().saturating_sub(kept.bytes));
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
