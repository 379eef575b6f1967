//! `request.jwt.claims`: what a trusted front end says. Parsed when it is assigned, not when it is read.
//!
//! The setting is defined when claims are first believed, and so never in a session that does not use this extension.

use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_char, c_void};

use pgrx::prelude::*;

use super::definitions::define_claims;
use super::extra::{self, Slot};
use super::{assigned, hook, late_load, name};
use crate::encoding;
use crate::token::Identity;
use crate::token::compact::MAX_TOKEN_BYTES;
use crate::token::identity::FlatIdentity;

static SLOT: Slot = Slot::empty();

/// Who has defined the setting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Nobody yet: it is unknown, or a placeholder.
    Nobody,
    /// This library, whose hooks see each value.
    Us,
    /// Another library; no hook of ours sees its values.
    Others,
}

thread_local! {
    static OWNER: Cell<Owner> = const { Cell::new(Owner::Nobody) };
    /// The last value that no hook of ours has seen, and what was in it.
    static PARSED: RefCell<Option<(CString, Option<Vec<u8>>)>> = const { RefCell::new(None) };
}

/// Whether a value can be assigned unseen.
pub(super) fn can_change_unseen() -> bool {
    OWNER.get() != Owner::Us
}

/// Shows the claims to `read`; None where there are none, or no JSON.
pub fn read<R>(read: impl FnOnce(Option<FlatIdentity<'_>>) -> R) -> R {
    if owner() == Owner::Us {
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

/// Who owns the setting, after it was defined if it could be. Where it cannot be yet its value is read as it stands.
fn owner() -> Owner {
    if OWNER.get() == Owner::Nobody {
        if late_load::is_defined_elsewhere(name::REQUEST_CLAIMS) {
            OWNER.set(Owner::Others);
        } else if hook::outside_of_parallel_mode(define_claims) {
            OWNER.set(Owner::Us);
        }
    }
    OWNER.get()
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
