//! A cache per call site: the first row of a query computes a reader's answer, and the other rows reuse it.
//!
//! A policy calls a reader once per row. The answer is the same for all rows until a setting, the role, the statement or
//! the transaction changes. [`Moment`] compares these four.
//!
//! # Which memory holds an answer
//! User code can run between the call that returns a value and the last use of that value. It can change the identity
//! and call the same site again, any number of times. PostgreSQL lets a function's result live until the expression's
//! per-tuple memory is reset, and that memory is a child of the query's. Therefore:
//!
//! - An answer is computed in this file's own scratch memory, which is emptied before and after. The garbage of
//!   `jsonb_in` never waits for the end of a row.
//! - A site caches a copy in the memory of the query (`fn_mcxt`), which PostgreSQL frees as a whole when the query ends.
//!   **Nothing here frees a value that was returned.**
//! - A site caches at most [`MAX_ANSWERS`] different answers, and all sites together [`MAX_BYTES`]. This bounds the
//!   memory even where all PL/pgSQL expressions of a transaction are one "query" that is planned repeatedly. Beyond the
//!   limits nothing is cached: each call returns a copy in the caller's memory, like any other function.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use pgrx::pg_sys::{self, Datum};
use pgrx::prelude::*;

use crate::functions::moment::Moment;
use crate::pg::ereport::Report;

/// `utils/uuid.h`, UUID_LEN.
const UUID_BYTES: usize = 16;

/// The number of answers that a site caches in turn; the largest has the 64 KB of a token's claims.
const MAX_ANSWERS: u8 = 4;

/// The bytes of all answers that are cached in this process at a time.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The cache of a call site (`fn_extra`). It lives in the memory of the site's query and is freed with it.
struct CachedDatum {
    /// Has PostgreSQL call [`release`] before it frees that memory.
    on_free: pg_sys::MemoryContextCallback,
    /// The size of all answers that were cached here.
    bytes: usize,
    moment: Moment,
    value: Datum,
    is_null: bool,
    /// The number of answers that were cached here, including the current one.
    answers: u8,
}

thread_local! {
    /// The size of the answers of all sites, at most [`MAX_BYTES`].
    static CACHED_BYTES: Cell<usize> = const { Cell::new(0) };
    /// The memory in which answers are computed. Only this file uses it, and computing an answer computes no other one.
    static SCRATCH: Cell<pg_sys::MemoryContext> = const { Cell::new(ptr::null_mut()) };
}

/// Returns the value that the call site has cached; None if [`refill`] must compute one.
///
/// # Safety
/// PostgreSQL has called one of this library's readers with `call`.
#[inline]
pub unsafe fn cached(call: pg_sys::FunctionCallInfo) -> Option<Datum> {
    // SAFETY: by the caller's promise, PostgreSQL's argument of a function call, which nothing else uses meanwhile.
    let call = unsafe { &mut *call };
    // SAFETY: fmgr.c keeps it valid as long as the call; it is null in a direct call.
    let site = unsafe { call.flinfo.as_ref() }?;
    // SAFETY: null, or what `CachedDatum::attach` has stored; only this file uses the `fn_extra` of a reader.
    let cache = unsafe { site.fn_extra.cast::<CachedDatum>().as_ref() }?;
    if !cache.moment.is_current() {
        return None;
    }
    call.isnull = cache.is_null;
    Some(cache.value)
}

/// Computes a value of type `returns`, which is passed by reference, and caches it for the rows that follow.
///
/// An old installation script may have declared the function with another return type, as which its caller would read
/// the value. Such a call is an error.
///
/// # Safety
/// PostgreSQL has called one of this library's readers with `call`, and `compute` returns values of type `returns`.
pub unsafe fn refill(
    call: pg_sys::FunctionCallInfo,
    returns: pg_sys::Oid,
    compute: impl FnOnce() -> Option<Datum>,
) -> Option<Datum> {
    // SAFETY: by the caller's promise, PostgreSQL's argument of a function call.
    let flinfo = unsafe { (*call).flinfo };
    // SAFETY: fmgr.c keeps it valid as long as the call; it is null in a direct call.
    let Some(site) = (unsafe { flinfo.as_mut() }) else {
        return compute();
    };
    // SAFETY: null, or what `CachedDatum::attach` has stored; only this file uses the `fn_extra` of a reader.
    let cache = unsafe { site.fn_extra.cast::<CachedDatum>().as_mut() };
    if cache.is_none() {
        check_declared(site.fn_oid, returns);
    }
    let moment = Moment::now();
    let caller = enter_scratch();
    let computed = compute();
    // SAFETY: `enter_scratch` returned the context that was current; the executor keeps it as long as the call.
    unsafe { pg_sys::MemoryContextSwitchTo(caller) };
    let length = computed.map_or(0, |computed| bytes(computed, returns).len());
    let memory = site.fn_mcxt;
    let has_room = CACHED_BYTES.get() + length <= MAX_BYTES;
    let answer = match (cache, moment) {
        (Some(cache), Some(moment)) if cache.equals(computed, returns) => {
            cache.moment = moment;
            (!cache.is_null).then_some(cache.value)
        }
        (Some(cache), Some(moment)) if cache.answers < MAX_ANSWERS && has_room => {
            let value = computed.map(|computed| copy(computed, returns, memory));
            cache.store(moment, value, length);
            value
        }
        (None, Some(moment)) if has_room => {
            let cache = CachedDatum::attach(site);
            let value = computed.map(|computed| copy(computed, returns, memory));
            cache.store(moment, value, length);
            value
        }
        (cache, _) => {
            if let Some(cache) = cache {
                cache.moment = Moment::NEVER;
                cache.answers = MAX_ANSWERS;
            }
            computed.map(|computed| copy(computed, returns, caller))
        }
    };
    empty_scratch();
    answer
}

impl CachedDatum {
    /// Gives a call site its cache, without an answer.
    fn attach(site: &mut pg_sys::FmgrInfo) -> &mut Self {
        // SAFETY: fmgr.c has set `fn_mcxt` to a context that outlives the site; an error leaves the site as it was.
        let block = unsafe { pg_sys::MemoryContextAlloc(site.fn_mcxt, size_of::<CachedDatum>()) }.cast::<CachedDatum>();
        // SAFETY: palloc returns a block of the requested size, aligned for every type; nothing else has its address.
        unsafe {
            block.write(CachedDatum {
                on_free: pg_sys::MemoryContextCallback {
                    func: Some(release),
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
        // SAFETY: the block was just initialized, and lives as long as its context.
        let cache = unsafe { &mut *block };
        // SAFETY: the callback is part of the block, which the context frees after it has called back.
        unsafe { pg_sys::MemoryContextRegisterResetCallback(site.fn_mcxt, &mut cache.on_free) };
        site.fn_extra = block.cast();
        cache
    }

    fn store(&mut self, moment: Moment, value: Option<Datum>, length: usize) {
        self.moment = moment;
        (self.value, self.is_null) = (value.unwrap_or(Datum::null()), value.is_none());
        self.answers += 1;
        self.bytes += length;
        CACHED_BYTES.set(CACHED_BYTES.get() + length);
    }

    /// Whether the cached answer equals `computed`. It may be the answer of an earlier moment: it still lives.
    fn equals(&self, computed: Option<Datum>, returns: pg_sys::Oid) -> bool {
        match computed {
            None => self.is_null,
            Some(computed) => !self.is_null && bytes(self.value, returns) == bytes(computed, returns),
        }
    }
}

/// Subtracts the answers of a site, whose memory PostgreSQL is about to free, from [`CACHED_BYTES`].
unsafe extern "C-unwind" fn release(cache: *mut c_void) {
    // SAFETY: mcxt.c passes the argument that `attach` registered, before it frees the block.
    let cache = unsafe { &*cache.cast::<CachedDatum>() };
    CACHED_BYTES.set(CACHED_BYTES.get().saturating_sub(cache.bytes));
}

/// Empties the scratch memory and makes it the current context; returns the previous one.
fn enter_scratch() -> pg_sys::MemoryContext {
    if SCRATCH.get().is_null() {
        // SAFETY: PostgreSQL sets this global once, before it loads any library.
        let parent = unsafe { pg_sys::TopMemoryContext };
        // SAFETY: TopMemoryContext and a literal, the name, live as long as the process.
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
    // An error may have left something.
    empty_scratch();
    // SAFETY: the context was created above and is never deleted.
    unsafe { pg_sys::MemoryContextSwitchTo(SCRATCH.get()) }
}

fn empty_scratch() {
    // SAFETY: the context is this file's own, and `refill` has copied the answer out of it.
    unsafe { pg_sys::MemoryContextReset(SCRATCH.get()) };
}

/// The bytes of a value.
fn bytes<'a>(value: Datum, returns: pg_sys::Oid) -> &'a [u8] {
    let start = value.cast_mut_ptr::<u8>();
    let length = if returns == pg_sys::UUIDOID {
        UUID_BYTES
    } else {
        // SAFETY: all other readers return a varlena, which `pg::sql_types` made and nothing has toasted.
        unsafe { pgrx::varlena::varsize_any(start.cast()) }
    };
    // SAFETY: the value has this many bytes, and `refill` frees nothing while it uses the slice.
    unsafe { std::slice::from_raw_parts(start, length) }
}

/// Copies a value to `memory`.
fn copy(value: Datum, returns: pg_sys::Oid, memory: pg_sys::MemoryContext) -> Datum {
    let source = bytes(value, returns);
    // SAFETY: the memory is the query's or the caller's; the executor keeps both as long as the call.
    let copy = unsafe { pg_sys::MemoryContextAlloc(memory, source.len()) }.cast::<u8>();
    // SAFETY: palloc returned a block of this size, which nothing else has the address of.
    unsafe { ptr::copy_nonoverlapping(source.as_ptr(), copy, source.len()) };
    Datum::from(copy)
}

fn check_declared(function: pg_sys::Oid, returns: pg_sys::Oid) {
    // SAFETY: PostgreSQL calls functions inside a transaction, where catalogs can be read.
    if function == pg_sys::InvalidOid || unsafe { pg_sys::get_func_rettype(function) } == returns {
        return;
    }
    Report {
        sqlstate: PgSqlErrorCode::ERRCODE_INVALID_FUNCTION_DEFINITION,
        message: "a function of pg_session_jwt is declared with a wrong return type".to_owned(),
        detail: None,
        hint: Some("Run ALTER EXTENSION pg_session_jwt UPDATE.".into()),
    }
    .emit(PgLogLevel::ERROR);
}
