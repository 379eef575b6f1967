//! Keeps tokens out of the server's log, and lines out of the audit log that are not of it.
//!
//! PostgreSQL writes the statement beside an error, and the token of `SELECT auth.jwt_session_init('...')` is in it. A
//! refused token can still be good elsewhere, and beside a token that was refused another one may stand. So for each
//! report of this extension statement and context are left out of the log. Statements that PostgreSQL logs for reasons
//! of its own are the operator's business: see docs/hardening.md.
//!
//! Anybody can write to the log (`RAISE LOG` in PL/pgSQL). A text that reads like the audit log's is changed.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char};

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::pg::ereport::FUNCTION;
use crate::pg::hooks;

/// How every line of the audit log begins.
const AUDIT: &str = "pg_session_jwt audit: ";

/// The two words that make it, and what stands for the second one in anybody else's text: as long, so that the text is
/// changed where it is, and nothing has to be allocated for it.
const WORDS: (&[u8], &[u8]) = (b"pg_session_jwt", b"audit");
const NOT_AUDIT: &[u8; 5] = b"*****";

/// Who reports that a check hook of a string setting has refused a value (guc.c).
const GUC: &CStr = c"call_string_check_hook";

thread_local! {
    /// The message of the last value that a check hook of this library has refused.
    static REFUSED: RefCell<CString> = RefCell::new(CString::default());
    /// The next report is a line of the audit log.
    static AUDITING: Cell<bool> = const { Cell::new(false) };
    /// The session has a token, which the statement that set it may be logged with.
    static HAS_TOKEN: Cell<bool> = const { Cell::new(false) };
}

/// Hooks into the log, once in a process.
pub fn install() {
    hooks::before_logging(hide);
}

/// Writes a line of the audit log.
pub fn audit(line: &str) {
    AUDITING.set(true);
    log!("{AUDIT}{line}");
    // The hook has seen it, unless the server logs nothing of this level.
    AUDITING.set(false);
}

/// A check hook refuses a value with this message, which PostgreSQL will report.
pub fn refused(message: &str) {
    REFUSED.set(CString::new(message).unwrap_or_default());
}

/// The session's token was set or taken away.
pub fn token_assigned(is_set: bool) {
    HAS_TOKEN.set(is_set);
}

/// Hides what a report must not show.
fn hide(error: &mut pg_sys::ErrorData) {
    let is_audit_line = AUDITING.take();
    let is_ours = is_ours(error);
    if is_ours {
        // A parallel worker's report of a refused value says by this, in its leader, whose it is.
        error.funcname = FUNCTION.as_ptr();
    }
    let is_hidden = is_audit_line || is_ours;
    error.hide_stmt |= is_hidden || is_worker_with_token();
    error.hide_ctx |= is_hidden;
    if !is_audit_line {
        for text in [
            error.message,
            error.detail,
            error.detail_log,
            error.hint,
            error.context,
            error.internalquery,
        ] {
            change_like_audit(text);
        }
    }
}

/// Whether a report is this extension's: made by it, or by guc.c for a check hook of it.
fn is_ours(error: &pg_sys::ErrorData) -> bool {
    let Some(function) = c_str(error.funcname) else {
        return false;
    };
    function == FUNCTION
        || function == GUC
            && REFUSED.with_borrow(|refused| !refused.is_empty() && c_str(error.message) == Some(refused))
}

/// Whether this is a parallel worker of a session with a token. Its statement is its leader's, who logs it beside each error
/// that is not this extension's; a worker that is ended because another one refused the identity would log it all the
/// same.
fn is_worker_with_token() -> bool {
    // SAFETY: reads a global of this process; -1 in all other processes (`access/parallel.h`, IsParallelWorker).
    HAS_TOKEN.get() && unsafe { pg_sys::ParallelWorkerNumber } >= 0
}

fn c_str<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: null, or one of the texts of a report, which are C strings that live as long as it.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// Changes a text of a report that has the words of the audit log in it.
fn change_like_audit(text: *mut c_char) {
    let length = c_str(text).map_or(0, CStr::count_bytes);
    if length > 0 {
        // SAFETY: not null, and so many bytes before its zero; the report's own copy (elog.c), which nobody else has, and
        // the report is the hook's to change.
        disguise(unsafe { std::slice::from_raw_parts_mut(text.cast::<u8>(), length) });
    }
}

/// Changes a text so that nothing in it reads like the beginning of a line of the audit log: in any case, and with anything
/// between the two words that a reader could take for a space.
fn disguise(text: &mut [u8]) {
    let begins_with = |text: &[u8], word: &[u8]| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let is_like_space = |byte: &u8| !byte.is_ascii() || byte.is_ascii_whitespace() || byte.is_ascii_control();
    let (name, word) = WORDS;
    let mut place = 0;
    while place < text.len() {
        if !begins_with(&text[place..], name) {
            place += 1;
            continue;
        }
        place += name.len();
        let spaces = text[place..].iter().take_while(|byte| is_like_space(byte)).count();
        // Each byte is looked at a bounded number of times.
        place += spaces;
        if spaces > 0 && begins_with(&text[place..], word) {
            text[place..place + word.len()].copy_from_slice(NOT_AUDIT);
        }
    }
}
