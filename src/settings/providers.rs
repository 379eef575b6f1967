//! `pg_session_jwt.providers`: whose tokens are accepted, parsed once for each assignment.
//!
//! Like `pg_session_jwt.jwk` it is refused only where a person gets the error; anywhere else a value that cannot be
//! used is accepted, logged, and shuts every mode.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use pgrx::prelude::*;

use super::key_file::KeyFile;
use super::{PROVIDERS, extra, hook, keys_changed, late_load, limits, name};
use crate::clock;
use crate::error::Failure;
use crate::token::provider::{self, KeySource};
use crate::token::{self, Error, Identity, Policy, Provider};

/// The providers, and the key files of those that have one.
pub struct Providers {
    pub list: Vec<Provider>,
    files: Vec<Option<RefCell<KeyFile>>>,
    looked_at: Cell<i64>,
}

/// Where the current value came from: a GucSource; PGC_S_DEFAULT is 0.
static SOURCE: AtomicU32 = AtomicU32::new(0);

type Parsed = Result<Option<Rc<Providers>>, Failure>;

thread_local! {
    /// The current value, until the next assignment.
    static PARSED: RefCell<Option<Parsed>> = const { RefCell::new(None) };
}

/// The providers; None where none are set.
pub(super) fn current() -> Parsed {
    let providers = PARSED.with_borrow_mut(|parsed| parsed.get_or_insert_with(parse_current).clone())?;
    if let Some(providers) = &providers {
        providers.refresh();
    }
    Ok(providers)
}

fn parse_current() -> Parsed {
    let Some(text) = PROVIDERS.get().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if late_load::is_mark(&text) {
        return Err(Failure::NotApplied {
            setting: name::PROVIDERS_TEXT,
        });
    }
    let unusable = |problem| Failure::Unusable {
        setting: name::PROVIDERS_TEXT,
        problem,
    };
    let list = parse(&text, SOURCE.load(Relaxed)).map_err(unusable)?;
    let file = |provider: &Provider| match &provider.source {
        KeySource::File(path) => Some(RefCell::new(KeyFile::new(path))),
        KeySource::Inline(_) => None,
    };
    let files = list.iter().map(file).collect();
    Ok(Some(Rc::new(Providers {
        list,
        files,
        looked_at: Cell::new(i64::MIN),
    })))
}

/// `pg_db_role_setting` and `pg_proc` can be read by everyone, unlike the server's files; and those too, as placeholders,
/// where the library is not preloaded.
fn parse(text: &CStr, source: pg_sys::GucSource::Type) -> Result<Vec<Provider>, Error> {
    use pg_sys::GucSource::{PGC_S_DATABASE, PGC_S_DATABASE_USER, PGC_S_GLOBAL, PGC_S_SESSION, PGC_S_TEST, PGC_S_USER};
    let not_utf8 = |_| Error::Providers {
        place: None,
        problem: "it is not UTF-8".to_owned(),
    };
    let text = text.to_str().map_err(not_utf8)?;
    match source {
        PGC_S_GLOBAL | PGC_S_DATABASE | PGC_S_USER | PGC_S_DATABASE_USER | PGC_S_TEST => provider::parse_public(text),
        PGC_S_SESSION => provider::parse(text),
        _ if super::is_preloaded() => provider::parse(text),
        _ => provider::parse_public(text),
    }
}

impl Providers {
    /// Verifies a token with the keys of the provider that it names, and gives that provider's place.
    ///
    /// # Errors
    /// As [`token::verify_provided`].
    pub fn verify(&self, token: &[u8], policy: &Policy) -> Result<(Identity, usize), Error> {
        let sets: Vec<_> = self
            .list
            .iter()
            .zip(&self.files)
            .map(|(provider, file)| match (&provider.source, file) {
                (KeySource::Inline(set), _) => Ok(Rc::clone(set)),
                (KeySource::File(_), Some(file)) => file.borrow().keys(),
                (KeySource::File(_), None) => Err(Error::NoKeys),
            })
            .collect();
        let keys = |place: usize| match sets.get(place) {
            Some(Ok(set)) => Ok(set.as_ref()),
            Some(Err(error)) => Err(error.clone()),
            None => Err(Error::NoKeys),
        };
        token::verify_provided(token, &self.list, keys, policy)
    }

    /// Looks at the key files, at most once a second: what changed there ends the identities that rested on it.
    fn refresh(&self) {
        let second = clock::statement_start().micros().div_euclid(1_000_000);
        if self.looked_at.replace(second) == second {
            return;
        }
        let changed = self.files.iter().flatten().map(|file| file.borrow_mut().refresh());
        if changed.filter(|changed| *changed).count() > 0 {
            keys_changed();
        }
    }
}

#[pg_guard]
pub(super) unsafe extern "C-unwind" fn check(
    newval: *mut *mut c_char,
    extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    use pg_sys::GucSource::{PGC_S_SESSION, PGC_S_TEST};
    // SAFETY: PostgreSQL calls check hooks with the value to check.
    let text = unsafe { hook::value(newval) };
    if !text.is_empty()
        && !late_load::is_mark(text)
        && !hook::copying_from_leader()
        && let Err(problem) = parse(text, source)
    {
        if source == PGC_S_SESSION || source == PGC_S_TEST {
            return hook::refuse(&Failure::Token(problem));
        }
        hook::log_unusable(name::PROVIDERS_TEXT, problem);
    }
    // Not before: a value that is refused is not applied.
    limits::note(&limits::PROVIDERS_APPLIED, source);
    let block = extra::allocate(u64::from(source), 0, &[]);
    // SAFETY: PostgreSQL calls check hooks with a place for their block.
    unsafe { *extra = block };
    !block.is_null()
}

#[pg_guard]
pub(super) unsafe extern "C-unwind" fn assign(_newval: *const c_char, extra: *mut c_void) {
    SOURCE.store(extra::source(extra), Relaxed);
    // The value is not in its variable yet: it is parsed when it is first asked for.
    PARSED.set(None);
    keys_changed();
}
