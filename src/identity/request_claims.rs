//! `request.jwt.claims`: what a trusted front end says. Parsed when it is assigned, not when it is read.
//!
//! The setting is defined when claims are first believed, and so never in a session that does not use this extension.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};

use pgrx::pg_sys;

use crate::guc::extra::{IdentityExtra, Slot};
use crate::guc::generation::assigned;
use crate::guc::hooks::{Checked, StringHooks};
use crate::guc::{definitions, lookup, names, process};
use crate::pg::encoding;
use crate::token::Identity;
use crate::token::identity::FlatIdentity;
use crate::token::limits::MAX_TOKEN_BYTES;

static SLOT: Slot<IdentityExtra<'static>> = Slot::empty();

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
pub(crate) fn can_change_unseen() -> bool {
    OWNER.get() != Owner::Us
}

/// Shows the claims to `read`; None where there are none, or no JSON.
pub fn read<R>(read: impl FnOnce(Option<FlatIdentity<'_>>) -> R) -> R {
    if owner() == Owner::Us {
        return SLOT.read(|extra| read(extra.map(|extra| extra.identity)));
    }
    let text = lookup::current(names::REQUEST_CLAIMS).unwrap_or_default();
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
        if lookup::is_defined_elsewhere(names::REQUEST_CLAIMS) {
            OWNER.set(Owner::Others);
        } else if process::outside_of_parallel_mode(define_claims) {
            OWNER.set(Owner::Us);
        }
    }
    OWNER.get()
}

/// Defines `request.jwt.claims`, whose values so far PostgreSQL keeps as a placeholder's and applies.
///
/// Not when the library is loaded: a setting that is defined is '' where nobody has set it, and not unknown, which would
/// be noticed in every database of a server (`current_setting('request.jwt.claims', true)`).
fn define_claims() {
    definitions::define_request_claims::<ClaimsSetting>();
}

/// The flat form of claims that are JSON and no larger than a token may be.
fn parse(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let identity = Identity::trusted(&encoding::from_server(text)?).ok()?;
    encoding::flatten(identity).ok()
}

/// The setting.
struct ClaimsSetting;

impl StringHooks for ClaimsSetting {
    type Extra = IdentityExtra<'static>;

    const SLOT: Option<&'static Slot<Self::Extra>> = Some(&SLOT);

    fn check(value: &CStr, _source: pg_sys::GucSource::Type) -> Checked<Self::Extra> {
        let claims = parse(value.to_bytes());
        Ok(claims.map(|claims| IdentityExtra::block(None, None, &claims)))
    }

    fn assign(_value: &CStr, _extra: Option<IdentityExtra<'_>>) {
        assigned();
    }
}
