//! Hides tokens from the server's log, and prevents forged lines of the audit log.
//!
//! PostgreSQL logs the statement of an error, and the statement `SELECT auth.jwt_session_init('...')` contains the token. A
//! rejected token can be valid elsewhere, and its statement may contain other tokens. So the statement and the context of
//! each report of this extension are omitted from the log. Statements that PostgreSQL logs for its own reasons are the
//! operator's responsibility: see docs/hardening.md.
//!
//! Any user can write to the log (`RAISE LOG` in PL/pgSQL). A text that looks like a line of the audit log, or like the one
//! with the user id, is altered.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char};
use std::sync::OnceLock;

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::pg::ereport::FUNCTION;
use crate::pg::hooks;
use crate::pg::log_user::{self, LoggedUserId};

/// The beginning of every line of the audit log.
const AUDIT: &str = "pg_session_jwt audit: ";

/// The first word of that beginning, and of the line with the user id.
const NAME: &[u8] = b"pg_session_jwt";
/// Their second words. In other texts each byte of them is replaced, so a text is altered in place without an allocation.
const WORDS: [&[u8]; 2] = [b"audit", b"user_id"];

/// The function that reports a value which a check hook of a string setting has rejected (guc.c).
const GUC: &CStr = c"call_string_check_hook";

static USER_ID: OnceLock<fn() -> Option<LoggedUserId>> = OnceLock::new();

thread_local! {
    /// The message about the last value that a check hook of this library has rejected.
    static REJECTED: RefCell<CString> = RefCell::new(CString::default());
    /// Whether the next report is a line of the audit log.
    static AUDITING: Cell<bool> = const { Cell::new(false) };
    /// Whether the session has a token. The statement that set it may still be logged.
    static HAS_TOKEN: Cell<bool> = const { Cell::new(false) };
}

/// Installs the hook, once in a process.
///
/// `user_id` returns the user id that the log is to have.
pub fn install(user_id: fn() -> Option<LoggedUserId>) {
    USER_ID.get_or_init(|| user_id);
    hooks::before_logging(hide);
}

/// Writes a line of the audit log.
pub fn audit(line: &str) {
    AUDITING.set(true);
    log!("{AUDIT}{line}");
    // The hook has reset it, unless the server logs nothing of this level.
    AUDITING.set(false);
}

/// Notes that a check hook has rejected a value with this message, which PostgreSQL will report.
pub fn value_rejected(message: &str) {
    REJECTED.set(CString::new(message).unwrap_or_default());
}

/// Notes that the session's token was set or removed.
pub fn token_assigned(is_set: bool) {
    HAS_TOKEN.set(is_set);
}

/// Removes from a report what the log must not contain.
fn hide(error: &mut pg_sys::ErrorData) {
    let is_audit_line = AUDITING.take();
    let is_ours = is_ours(error);
    if is_ours {
        // This marks a parallel worker's report of a rejected value for its leader.
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
            alter_like_audit(text);
        }
        if let Some(mut user_id) = USER_ID.get().and_then(|user_id| user_id()) {
            let user_id = user_id.as_bytes_mut();
            disguise(user_id);
            log_user::add(error, user_id);
        }
    }
}

/// Whether a report is from this extension: made by it, or by guc.c for one of its check hooks.
fn is_ours(error: &pg_sys::ErrorData) -> bool {
    let Some(function) = c_str(error.funcname) else {
        return false;
    };
    function == FUNCTION
        || function == GUC
            && REJECTED.with_borrow(|rejected| !rejected.is_empty() && c_str(error.message) == Some(rejected))
}

/// Whether this is a parallel worker of a session with a token. Its statement is the leader's, which logs it with each error
/// of other origin. A worker that is terminated because another worker rejected the identity would log it nevertheless.
fn is_worker_with_token() -> bool {
    // SAFETY: reads a global of this process; -1 in all other processes (`access/parallel.h`, IsParallelWorker).
    HAS_TOKEN.get() && unsafe { pg_sys::ParallelWorkerNumber } >= 0
}

fn c_str<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the texts of a report are null, or C strings that live as long as the report.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// Alters a text of a report that has the words of the audit log.
fn alter_like_audit(text: *mut c_char) {
    let length = c_str(text).map_or(0, CStr::count_bytes);
    if length > 0 {
        // SAFETY: the text is not null and has `length` bytes. It is the report's own copy (elog.c), and the hook may alter
        // the report.
        disguise(unsafe { std::slice::from_raw_parts_mut(text.cast::<u8>(), length) });
    }
}

/// Alters a text so that no part of it looks like the beginning of a line of the audit log, or of one with the user id. Case
/// does not matter, and between the two words can be any characters that look like spaces.
fn disguise(text: &mut [u8]) {
    let begins_with = |text: &[u8], word: &[u8]| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let is_like_space = |byte: &u8| !byte.is_ascii() || byte.is_ascii_whitespace() || byte.is_ascii_control();
    let mut position = 0;
    while position < text.len() {
        if !begins_with(&text[position..], NAME) {
            position += 1;
            continue;
        }
        position += NAME.len();
        let spaces = text[position..].iter().take_while(|byte| is_like_space(byte)).count();
        // Each byte is read a bounded number of times.
        position += spaces;
        let word = WORDS.iter().find(|word| begins_with(&text[position..], word));
        if let (1.., Some(word)) = (spaces, word) {
            text[position..position + word.len()].fill(b'*');
        }
    }
}
