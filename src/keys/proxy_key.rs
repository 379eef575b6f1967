//! `pg_session_jwt.jwk`: the key of proxy mode.
//!
//! A connection may not bring one where the server has one or wants none, nor two: it is refused.
//!
//! A value that cannot be used is refused where a person gets the error. Anywhere else PostgreSQL would drop a refused
//! value with a WARNING and go on as if it were not set, so there it is accepted, logged, and unusable for as long as it
//! stands.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_void};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use pgrx::prelude::*;

use crate::error::{Failure, check_hook};
use crate::guc::generation::{key_generation, keys_changed};
use crate::guc::values::{JWK, client_keys};
use crate::guc::{extra, lookup, names, process};
use crate::token::keys::Key;
use crate::token::{Error, KeySet};

/// Where the current value came from: a GucSource; PGC_S_DEFAULT is 0.
static SOURCE: AtomicU32 = AtomicU32::new(0);

/// Whether the current value, which may be empty, is the server's and not one that the connection brought.
pub(crate) fn is_from_server() -> bool {
    use pg_sys::GucSource::{PGC_S_CLIENT, PGC_S_DEFAULT, PGC_S_OVERRIDE};
    let source = SOURCE.load(Relaxed);
    (PGC_S_DEFAULT + 1..PGC_S_CLIENT).contains(&source) || source == PGC_S_OVERRIDE
}

/// Whether the current value, which may be empty, is the one that the connection brought.
fn is_from_client() -> bool {
    SOURCE.load(Relaxed) == pg_sys::GucSource::PGC_S_CLIENT
}

type Parsed = Result<Option<Rc<KeySet>>, Failure>;

thread_local! {
    /// The current value, parsed once for each key generation.
    static PARSED: RefCell<Option<(u64, Parsed)>> = const { RefCell::new(None) };
}

/// The key, as a set of one; None where none is set.
pub(crate) fn key_set() -> Parsed {
    let generation = key_generation();
    PARSED.with_borrow_mut(|parsed| match parsed {
        Some((of, key)) if *of == generation => key.clone(),
        _ => parsed.insert((generation, parse_current())).1.clone(),
    })
}

fn parse_current() -> Parsed {
    let Some(text) = JWK.get().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if lookup::is_mark(&text) {
        return Err(Failure::NotApplied {
            setting: names::JWK_TEXT,
        });
    }
    if is_from_client() && !client_keys() {
        return Err(Failure::ClientKey);
    }
    let unusable = |problem| Failure::Unusable {
        setting: names::JWK_TEXT,
        problem,
    };
    parse(&text)
        .map(|key| Some(Rc::new(KeySet::pinned(key))))
        .map_err(unusable)
}

fn parse(text: &CStr) -> Result<Key, Error> {
    let not_utf8 = |_| Error::KeyNotJson {
        problem: "it is not UTF-8".to_owned(),
    };
    Key::from_public_jwk(text.to_str().map_err(not_utf8)?)
}

/// Whether a connection may bring this key, or an empty text in its place. A proxy gives its key by `options`; a startup
/// parameter, which comes after them, is then not the proxy's.
fn may_bring(text: &CStr) -> Result<(), Failure> {
    let current = JWK.get().unwrap_or_default();
    if is_from_server() && !current.is_empty() {
        Err(Failure::KeyFromClient)
    } else if !client_keys() {
        Err(Failure::ClientKey)
    } else if is_from_client() && current.as_c_str() != text {
        Err(Failure::KeyTwice)
    } else {
        Ok(())
    }
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn check(
    newval: *mut *mut c_char,
    extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    use pg_sys::GucSource::{PGC_S_CLIENT, PGC_S_OVERRIDE, PGC_S_SESSION, PGC_S_TEST};
    // SAFETY: PostgreSQL calls check hooks with the value to check.
    let text = unsafe { check_hook::value(newval) };
    if source == PGC_S_CLIENT
        && !process::copying_from_leader()
        && let Err(failure) = may_bring(text)
    {
        return check_hook::reject(&failure);
    }
    if !text.is_empty()
        && !lookup::is_mark(text)
        && let Err(problem) = parse(text)
    {
        if source == PGC_S_SESSION || source == PGC_S_TEST {
            return check_hook::reject(&Failure::Token(problem));
        }
        // A session that makes the server's key its own need not say again what the server said.
        if source != PGC_S_OVERRIDE {
            check_hook::log_unusable(names::JWK_TEXT, problem);
        }
    }
    let block = extra::allocate(u64::from(source), 0, &[]);
    // SAFETY: PostgreSQL calls check hooks with a place for their block.
    unsafe { *extra = block };
    !block.is_null()
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn assign(_newval: *const c_char, extra: *mut c_void) {
    SOURCE.store(extra::source(extra), Relaxed);
    keys_changed();
}
