//! `request.jwt.claims`: claims that a gateway has verified. They are parsed when they are assigned, not when they
//! are read.
//!
//! The setting is defined when its claims are first trusted. A session that does not use this extension never has it.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};

use pgrx::pg_sys::GucSource;

use crate::error::Failure;
use crate::guc::extra::{IdentityExtra, Slot};
use crate::guc::generation::settings_changed;
use crate::guc::hooks::{Checked, StringHooks};
use crate::guc::{definitions, lookup, names, process};
use crate::identity::activity::{self, Source};
use crate::identity::scope;
use crate::pg::encoding;
use crate::token::Identity;
use crate::token::identity::FlatIdentity;
use crate::token::limits::MAX_TOKEN_BYTES;

static SLOT: Slot<IdentityExtra<'static>> = Slot::empty();

/// The library that has defined the setting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// None yet: the setting is unknown, or a placeholder.
    None,
    /// This library, whose hooks see each value.
    ThisLibrary,
    /// Another library, whose values no hook of this library sees.
    OtherLibrary,
}

/// A value that no hook of this library has seen.
struct UnseenValue {
    text: CString,
    /// Its claims in the flat form; None without valid claims.
    claims: Option<Vec<u8>>,
}

thread_local! {
    static OWNER: Cell<Owner> = const { Cell::new(Owner::None) };
    /// The last unseen value that was read.
    static UNSEEN: RefCell<Option<UnseenValue>> = const { RefCell::new(None) };
}

/// Whether a value can be assigned without a hook of this library.
pub fn can_change_unseen() -> bool {
    OWNER.get() != Owner::ThisLibrary
}

/// Calls `read` with the claims; None without valid claims that count.
///
/// # Errors
/// [`Failure::UnknownLifetime`]
pub fn read<R>(read: impl FnOnce(Option<FlatIdentity<'_>>) -> R) -> Result<R, Failure> {
    if owner() == Owner::ThisLibrary {
        activity::claims_count();
        return SLOT.read(|extra| match extra {
            Some(extra) if scope::counts(scope::CLAIMS, &extra)? => {
                activity::show(Source::Claims, &extra, &extra.identity);
                Ok(read(Some(extra.identity)))
            }
            _ => {
                activity::hide_claims();
                Ok(read(None))
            }
        });
    }
    // They can change unseen, and are not shown.
    activity::hide();
    let text = lookup::current(names::REQUEST_CLAIMS).unwrap_or_default();
    UNSEEN.with_borrow_mut(|unseen| {
        if unseen.as_ref().is_none_or(|value| value.text != text) {
            let claims = parse(text.as_bytes());
            *unseen = Some(UnseenValue { text, claims });
        }
        match unseen.as_ref().and_then(|value| value.claims.as_deref()) {
            Some(claims) if scope::counts_unseen(names::REQUEST_CLAIMS)? => Ok(read(Some(FlatIdentity::new(claims)))),
            _ => Ok(read(None)),
        }
    })
}

/// Whether there are claims that do not count because they outlast their transaction.
pub fn outlast() -> bool {
    SLOT.read(|extra| extra.is_some_and(|extra| scope::counts(scope::CLAIMS, &extra) == Ok(false)))
}

/// Defines the setting if that is possible, and returns its owner. Until then its value is read at each use.
fn owner() -> Owner {
    if OWNER.get() == Owner::None {
        if lookup::is_defined_elsewhere(names::REQUEST_CLAIMS) {
            OWNER.set(Owner::OtherLibrary);
        } else if process::outside_of_parallel_mode(define) {
            OWNER.set(Owner::ThisLibrary);
        }
    }
    OWNER.get()
}

/// Defines the setting. PostgreSQL then applies the values of the placeholder.
///
/// This does not happen when the library is loaded. A defined setting without a value is '', an undefined one is unknown:
/// `current_setting('request.jwt.claims', true)` would differ in every database of the server.
fn define() {
    definitions::define_request_claims::<ClaimsSetting>();
    // From here on the workers can rely on what the hook remembers.
    SLOT.read(follow);
}

/// The flat form of claims that are valid JSON and no longer than a token may be.
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

    fn check(value: &CStr, _source: GucSource::Type) -> Checked<Self::Extra> {
        let claims = parse(value.to_bytes());
        if claims.is_some() {
            activity::begin();
        }
        Ok(claims.map(|claims| IdentityExtra::block(None, None, None, &claims)))
    }

    fn assign(_value: &CStr, extra: Option<IdentityExtra<'_>>) {
        settings_changed();
        follow(extra);
    }
}

fn follow(extra: Option<IdentityExtra<'_>>) {
    scope::assigned(names::REQUEST_CLAIMS, scope::CLAIMS, extra);
    match extra {
        Some(claims) if activity::do_claims_count() && scope::may_count(&claims) => {
            activity::show(Source::Claims, &claims, &claims.identity);
        }
        _ => activity::hide_claims(),
    }
}
