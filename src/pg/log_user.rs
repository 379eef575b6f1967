//! The user id of the session in the server's log, as the first line of DETAIL.
//!
//! PostgreSQL has no field for it, and sends most fields of a report to the client after the hook of the log. DETAIL has two
//! texts: `detail` for the client, and `detail_log`, which only the log has: stderr, syslog, csvlog and jsonlog.
//!
//! The report owns its texts (elog.c frees them after it was sent). The text that is replaced here is freed as elog.c would
//! have done: reports below ERROR would otherwise leave it in the error memory of the process.

use std::ffi::{CStr, c_char};
use std::fmt;
use std::ptr;

use pgrx::pg_sys;

use crate::pg::encoding;

/// The beginning of the line. [`log_guard`](crate::pg::log_guard) alters it in every other text.
const BEGINNING: &[u8] = b"pg_session_jwt user_id: \"";

/// A user id of at most 256 bytes as ASCII without control characters. Its size is fixed, because the log reports also that
/// there is no more memory.
pub struct LoggedUserId {
    bytes: [u8; 6 * 256],
    length: usize,
}

impl LoggedUserId {
    /// None for a longer one.
    pub fn of(user_id: &[u8]) -> Option<Self> {
        let mut escaped = LoggedUserId {
            bytes: [0; 6 * 256],
            length: 0,
        };
        encoding::escape(user_id, &mut escaped).ok().map(|()| escaped)
    }

    pub(super) fn as_bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }
}

impl fmt::Write for LoggedUserId {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        room.get_mut(..text.len())
            .ok_or(fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

/// The most bytes of a text: half of PostgreSQL's limit for an allocation.
const MAX_BYTES: usize = 1 << 29;

/// Adds the line for a user id, which is ASCII without control characters. It raises nothing: without memory there is no
/// line.
pub fn add(error: &mut pg_sys::ErrorData, user_id: &[u8]) {
    let shown = if error.detail_log.is_null() {
        error.detail
    } else {
        error.detail_log
    };
    let detail = if shown.is_null() {
        c""
    } else {
        // SAFETY: not null, hence a C string that lives as long as the report.
        unsafe { CStr::from_ptr(shown) }
    };
    let end_of_line: &[u8] = if detail.is_empty() { b"\"" } else { b"\"\n" };
    let parts = [BEGINNING, user_id, end_of_line, detail.to_bytes_with_nul()];
    let Some(text) = allocate(error, parts.iter().map(|part| part.len()).sum()) else {
        return;
    };
    let mut end = text;
    for part in parts {
        // SAFETY: the fresh text has room for all parts, and overlaps none.
        unsafe { ptr::copy_nonoverlapping(part.as_ptr().cast(), end, part.len()) };
        // SAFETY: at most one byte behind the text.
        end = unsafe { end.add(part.len()) };
    }
    if !error.detail_log.is_null() {
        // SAFETY: the report owns this text, nothing else refers to it, and it was copied above.
        unsafe { pg_sys::pfree(error.detail_log.cast()) };
    }
    error.detail_log = text;
}

/// Memory of the report.
fn allocate(error: &pg_sys::ErrorData, bytes: usize) -> Option<*mut c_char> {
    if bytes > MAX_BYTES || error.assoc_context.is_null() {
        return None;
    }
    // SAFETY: the memory context of the report; with this flag the call returns null where there is no memory.
    let text =
        unsafe { pg_sys::MemoryContextAllocExtended(error.assoc_context, bytes, pg_sys::MCXT_ALLOC_NO_OOM as i32) };
    (!text.is_null()).then(|| text.cast())
}
