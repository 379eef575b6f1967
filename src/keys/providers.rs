//! `pg_session_jwt.providers`: whose tokens are accepted, parsed once for each assignment.
//!
//! Like `pg_session_jwt.jwk` it is refused only where a person gets the error; anywhere else a value that cannot be
//! used is accepted, logged, and shuts every mode.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use pgrx::prelude::*;

use crate::error::{Failure, check_hook};
use crate::guc::generation::keys_changed;
use crate::guc::values::PROVIDERS;
use crate::guc::{applied, extra, lookup, names, process, remembered};
use crate::jwks::table;
use crate::keys::source::Keys;
use crate::keys::url::{Awaited, KeyUrl, wait_until};
use crate::pg::clock;
use crate::token;
use crate::token::provider::KeySource;
use crate::token::{Error, Policy, Provider, Verified, provider};

/// The providers, and the keys of each.
pub struct Providers {
    pub list: Vec<Provider>,
    pub keys: Vec<Keys>,
    /// The second in which the key files were last looked at, and the one in which the worker was last told which URLs
    /// are needed.
    looked_at: Cell<i64>,
    needed_at: Cell<i64>,
    /// [`table::generation`] when the key sets of the URLs were last looked at.
    generation: Cell<u64>,
}

/// How often the worker is told, in seconds: often enough that it does not forget what a session that is in use needs.
const BETWEEN_NEEDS: i64 = 60;

/// Where the current value came from: a GucSource; PGC_S_DEFAULT is 0.
static SOURCE: AtomicU32 = AtomicU32::new(0);

/// Whether the current value is not empty.
static HAS_SOME: AtomicBool = AtomicBool::new(false);

type Parsed = Result<Option<Rc<Providers>>, Failure>;

thread_local! {
    /// The current value, until the next assignment.
    static PARSED: RefCell<Option<Parsed>> = const { RefCell::new(None) };
}

/// The providers; None where none are set.
pub(crate) fn current() -> Parsed {
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
    if lookup::is_mark(&text) {
        return Err(Failure::NotApplied {
            setting: names::PROVIDERS_TEXT,
        });
    }
    let unusable = |problem| Failure::Unusable {
        setting: names::PROVIDERS_TEXT,
        problem,
    };
    let list = parse(&text, SOURCE.load(Relaxed)).map_err(unusable)?;
    let keys = list.iter().map(|provider| Keys::new(&provider.source)).collect();
    Ok(Some(Rc::new(Providers {
        list,
        keys,
        looked_at: Cell::new(i64::MIN),
        needed_at: Cell::new(i64::MIN),
        generation: Cell::new(0),
    })))
}

/// `pg_db_role_setting` and `pg_proc` can be read by everyone, unlike the server's files; and those too, as placeholders,
/// where the library is not preloaded.
fn parse(text: &CStr, source: pg_sys::GucSource::Type) -> Result<Vec<Provider>, Error> {
    use pg_sys::GucSource::{PGC_S_DATABASE, PGC_S_DATABASE_USER, PGC_S_GLOBAL, PGC_S_SESSION, PGC_S_TEST, PGC_S_USER};
    let not_utf8 = |_| Error::Providers {
        index: None,
        problem: "is not UTF-8".to_owned(),
    };
    let text = text.to_str().map_err(not_utf8)?;
    let list = match source {
        PGC_S_GLOBAL | PGC_S_DATABASE | PGC_S_USER | PGC_S_DATABASE_USER | PGC_S_TEST => provider::parse_public(text),
        PGC_S_SESSION => provider::parse(text),
        _ if crate::guc::values::is_preloaded() => provider::parse(text),
        _ => provider::parse_public(text),
    }?;
    let has_url = |provider: &Provider| matches!(provider.source, KeySource::Url(_));
    match list.iter().position(has_url) {
        Some(index) if !crate::guc::values::is_preloaded() => Err(Error::NotFetched { index }),
        _ => Ok(list),
    }
}

/// The URLs in the current value; none where it cannot be used.
pub fn urls() -> Vec<String> {
    match parse_current() {
        Ok(Some(providers)) => provider::urls(&providers.list),
        _ => Vec::new(),
    }
}

impl Providers {
    /// Verifies a token with the keys of the provider that it names.
    ///
    /// # Errors
    /// As [`token::verify_provided`].
    pub fn verify(&self, token: &[u8], policy: &Policy) -> Result<Verified, Error> {
        let asked = RefCell::new(Vec::new());
        let verdict = self.judge(token, policy, &asked);
        match &verdict {
            // Whatever the keys that are there say of it, it may be meant for one that is not there.
            Err(
                refusal @ (Error::NoKeys
                | Error::UnknownKeyId { .. }
                | Error::AmbiguousKey { .. }
                | Error::AlgorithmMismatch { .. }
                | Error::Signature
                | Error::Audience { .. }),
            ) if self.await_keys(&asked.take(), |url| url.ask_after(refusal)) => self.judge(token, policy, &asked),
            _ => verdict,
        }
    }

    /// `asked` receives the places of the providers whose keys were looked at.
    fn judge(&self, token: &[u8], policy: &Policy, asked: &RefCell<Vec<usize>>) -> Result<Verified, Error> {
        let sets: Vec<_> = self.keys.iter().map(Keys::set).collect();
        let keys = |place: usize| {
            asked.borrow_mut().push(place);
            match sets.get(place) {
                Some(Ok(set)) => Ok(set.as_ref()),
                Some(Err(error)) => Err(error.clone()),
                None => Err(Error::NoKeys),
            }
        };
        token::verify_provided(token, &self.list, keys, policy)
    }

    /// Waits, for a limited time, for keys of these providers; true if there are other ones than before.
    fn await_keys(&self, places: &[usize], ask: impl Fn(&KeyUrl) -> Option<Awaited>) -> bool {
        let urls: Vec<_> = places
            .iter()
            .filter_map(|place| match self.keys.get(*place) {
                Some(Keys::Url(url)) => Some(url),
                _ => None,
            })
            .collect();
        let refresh = || urls.iter().filter(|url| url.borrow_mut().refresh()).count() > 0;
        let mut changed = refresh();
        if !changed {
            let awaited: Vec<_> = urls.iter().filter_map(|url| Some((url, ask(&url.borrow())?))).collect();
            wait_until(|| awaited.iter().all(|(url, awaited)| url.borrow().has_come(awaited)));
            changed = refresh();
        }
        if changed {
            keys_changed();
        }
        changed
    }

    /// Waits, for a limited time, for what was never fetched.
    pub fn await_first(&self) {
        let every: Vec<usize> = (0..self.keys.len()).collect();
        self.await_keys(&every, KeyUrl::ask_first);
    }

    /// Notices other keys, which end the identities that rested on those before: of files once a second, of URLs at
    /// once, by a look at shared memory.
    fn refresh(&self) {
        // By the clock: a long statement notices, too, that a key was taken away.
        let second = clock::now().micros().div_euclid(1_000_000);
        let look_at_files = self.looked_at.replace(second) != second;
        let tell_needs = !(0..BETWEEN_NEEDS).contains(&second.saturating_sub(self.needed_at.get()));
        let mut urls = self.urls().peekable();
        let generation = if urls.peek().is_some() { table::generation() } else { 0 };
        let look_at_urls = self.generation.replace(generation) != generation;
        if !(look_at_files || tell_needs || look_at_urls) {
            return;
        }
        let mut changed = false;
        if look_at_files {
            for keys in &self.keys {
                if let Keys::File(file) = keys {
                    changed |= file.borrow_mut().refresh();
                }
            }
        }
        for url in urls {
            if tell_needs {
                self.needed_at.set(second);
                url.borrow().need();
            }
            if look_at_urls {
                changed |= url.borrow_mut().refresh();
            }
        }
        if changed {
            keys_changed();
        }
    }

    fn urls(&self) -> impl Iterator<Item = &RefCell<KeyUrl>> {
        self.keys.iter().filter_map(|keys| match keys {
            Keys::Url(url) => Some(url),
            _ => None,
        })
    }
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn check(
    newval: *mut *mut c_char,
    extra: *mut *mut c_void,
    source: pg_sys::GucSource::Type,
) -> bool {
    use pg_sys::GucSource::{PGC_S_SESSION, PGC_S_TEST};
    // SAFETY: PostgreSQL calls check hooks with the value to check.
    let text = unsafe { check_hook::value(newval) };
    if !text.is_empty()
        && !lookup::is_mark(text)
        && !process::copying_from_leader()
        && let Err(problem) = parse(text, source)
    {
        if source == PGC_S_SESSION || source == PGC_S_TEST {
            return check_hook::reject(&Failure::Token(problem));
        }
        check_hook::log_unusable(names::PROVIDERS_TEXT, problem);
    }
    // Not before: a value that is refused is not applied.
    applied::note(&applied::PROVIDERS_APPLIED, source);
    let block = extra::allocate(u64::from(source), 0, &[]);
    // SAFETY: PostgreSQL calls check hooks with a place for their block.
    unsafe { *extra = block };
    !block.is_null()
}

/// A session whose beginning is over, in which stored settings replace those of the server. No parallel worker that is
/// taking over its leader's settings: what they have lost is among them.
fn is_open_session() -> bool {
    // SAFETY: reads a global of this process.
    let is_backend = unsafe { pg_sys::IsUnderPostmaster };
    // SAFETY: as above.
    let mode = unsafe { pg_sys::Mode };
    is_backend && mode == pg_sys::ProcessingMode::NormalProcessing && !process::copying_from_leader()
}

#[pg_guard]
pub(crate) unsafe extern "C-unwind" fn assign(newval: *const c_char, extra: *mut c_void) {
    // SAFETY: null, or a C string that lives until the hook returns.
    let emptied = newval.is_null() || unsafe { CStr::from_ptr(newval) }.is_empty();
    // Not asked of the variable: a parallel worker that takes over its leader's settings has freed what it points to
    // (guc.c, RestoreGUCState).
    let had_some = HAS_SOME.swap(!emptied, Relaxed);
    if emptied && had_some && is_open_session() {
        remembered::lose_providers();
    }
    SOURCE.store(extra::source(extra), Relaxed);
    // The value is not in its variable yet: it is parsed when it is first asked for.
    PARSED.set(None);
    keys_changed();
}
