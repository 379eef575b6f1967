//! `request.jwt.claims`: what a trusted front end says. Parsed when it is assigned, not when it is read.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::prelude::*;

use super::extra::{self, Slot};
use super::{assigned, hook, late_load, name};
use crate::encoding;
use crate::token::Identity;
use crate::token::compact::MAX_TOKEN_BYTES;
use crate::token::identity::FlatIdentity;

static SLOT: Slot = Slot::empty();

/// Another library owns the setting, so no hook of ours sees its values.
static FOREIGN: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The last value of a foreign setting, and what was in it.
    static PARSED: RefCell<Option<(CString, Option<Vec<u8>>)>> = const { RefCell::new(None) };
}

pub(super) fn leave_to_others() {
    FOREIGN.store(true, Relaxed);
}

pub(super) fn belong_to_others() -> bool {
    FOREIGN.load(Relaxed)
}

/// Shows the claims to `read`; None where there are none, or no JSON.
pub fn read<R>(read: impl FnOnce(Option<FlatIdentity<'_>>) -> R) -> R {
    if !belong_to_others() {
        return SLOT.read(|extra| read(extra.map(|extra| extra.identity)));
    }
    let text = late_load::current(name::REQUEST_CLAIMS).unwrap_or_default();
    PARSED.with_borrow_mut(|parsed| {
        if parsed.as_ref().is_none_or(|(of, _)| *of != text) {
            let claims = parse(text.as_bytes());
            *parsed = Some((text, claims));
        }
        let claims = parsed.as_ref().and_then(|(_, claims)| claims.as_deref());
        read(claims.map(FlatIdentity::new))
    })
}

/// The flat form of claims that are JSON and no larger than a token may be.
fn parse(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let identity = Identity::trusted(&encoding::from_server(text)?).ok()?;
    encoding::flatten(identity).ok()
}

#[pg_guard]
pub(super) unsafe extern "C-unwind" fn check(
    newval: *mut *mut c_char,
    extra: *mut *mut c_void,
    _source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: PostgreSQL calls check hooks with the value to check.
    let Some(claims) = parse(unsafe { hook::value(newval) }.to_bytes()) else {
        return true;
    };
    let block = extra::allocate(0, 0, &claims);
    // SAFETY: PostgreSQL calls check hooks with a place for their block.
    unsafe { *extra = block };
    !block.is_null()
}

#[pg_guard]
pub(super) unsafe extern "C-unwind" fn assign(_newval: *const c_char, extra: *mut c_void) {
    SLOT.assign(extra);
    assigned();
}
