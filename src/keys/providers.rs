//! `pg_session_jwt.providers`: the issuers whose tokens are accepted, parsed once for each assignment.
//!
//! [`parsed_setting`] has the rules for unusable values.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::LocalKey;

use pgrx::pg_sys::GucSource::{self, Type as Source};
use verified_table::{Digest, Sources, digest};

use crate::guc::extra::{ProviderIndex, SourceExtra};
use crate::guc::generation::keys_changed;
use crate::guc::hooks::{Checked, StringHooks};
use crate::guc::values::is_preloaded;
use crate::guc::{applied, names, process, remembered, values};
use crate::jwks::shared_table;
use crate::keys::parsed_setting::{self, Parsed, ParsedSetting, State};
use crate::keys::rejection::Rejection;
use crate::keys::source::Keys;
use crate::keys::url::KeyUrl;
use crate::keys::wait_for_fetch::{Answer, wait_until};
use crate::pg::clock::{self, Stopwatch};
use crate::statistics::{IssuerRow, Row};
use crate::token;
use crate::token::examine::{Examination, examine_provider_token};
use crate::token::provider::KeySource;
use crate::token::refetch::{self, Remedy};
use crate::token::{Error, Identity, KeySet, Provider, Validity, Verified, provider};

/// The providers, and the keys of each.
pub struct Providers {
    pub list: Vec<Provider>,
    pub keys: Vec<Keys>,
    /// Where the tokens of each are counted.
    rows: Vec<IssuerRow>,
    /// The digest of the setting's text, which has everything but the keys of files and URLs.
    setting: Digest,
    /// The digest of the setting and of all keys. None after each refresh of keys.
    sources: Cell<Option<Sources>>,
    /// The second in which the key files were last inspected.
    files_inspected_at: Cell<i64>,
    /// The second in which the worker was last informed about the URLs that this session needs.
    needs_reported_at: Cell<i64>,
    /// [`shared_table::revision`] when the key sets of the URLs were last inspected.
    revision: Cell<u64>,
}

/// An identity from a provider's token.
pub struct ProvidedIdentity {
    pub identity: Identity,
    pub provider: ProviderIndex,
}

/// How often a session informs the worker, in seconds: often enough that the worker does not forget URLs in use.
const BETWEEN_REPORTS: i64 = 60;

/// The providers; None where none are set.
///
/// # Errors
/// The same as [`parsed_setting::current`].
pub fn current() -> Parsed<Providers> {
    let providers = parsed_setting::current::<ProvidersSetting>()?;
    if let Some(providers) = &providers {
        providers.refresh();
    }
    Ok(providers)
}

/// The URLs in the current value; none where it is unusable.
pub fn urls() -> Vec<String> {
    match parsed_setting::parse_now::<ProvidersSetting>() {
        Ok(Some(providers)) => provider::urls(&providers.list),
        _ => Vec::new(),
    }
}

impl Providers {
    fn new(text: &str, list: Vec<Provider>) -> Self {
        Providers {
            setting: digest(text.as_bytes()),
            sources: Cell::new(None),
            keys: list.iter().map(|provider| Keys::new(&provider.source)).collect(),
            rows: list.iter().map(|_| IssuerRow::new()).collect(),
            list,
            files_inspected_at: Cell::new(i64::MIN),
            needs_reported_at: Cell::new(i64::MIN),
            revision: Cell::new(0),
        }
    }

    /// The digest of all that tokens are verified with at this moment. It has the content of the keys, not their revisions:
    /// other sessions with the same content have the same digest.
    pub fn sources(&self) -> Sources {
        let sources = self
            .sources
            .get()
            .unwrap_or_else(|| Sources::new(&self.setting, self.keys.iter().map(Keys::digest)));
        self.sources.set(Some(sources));
        sources
    }

    /// The provider at an index.
    pub fn get(&self, index: ProviderIndex) -> Option<&Provider> {
        self.list.get(index.0)
    }

    /// The row in which the tokens of a provider are counted.
    pub fn row(&self, index: ProviderIndex) -> Option<Row> {
        Some(self.rows.get(index.0)?.get(self.get(index)?.issuer.as_deref()))
    }

    /// The leeway for the tokens of a provider: its own, or that of the setting.
    pub fn leeway(&self, index: Option<ProviderIndex>) -> u32 {
        let provider = index.and_then(|index| self.get(index));
        provider
            .and_then(|provider| provider.leeway)
            .unwrap_or_else(values::leeway)
    }

    /// Verifies a token with the keys of the provider that it names. If they do not fit, it is verified once more with keys that
    /// were fetched for it. `most` is the most that it may cause. The stopwatch does not measure the wait for a fetch.
    ///
    /// # Errors
    /// The same as [`token::verify_provider_token`], with the time of the next fetch.
    pub fn verify(
        &self,
        token: &[u8],
        validity: &Validity,
        most: Remedy,
        stopwatch: &Stopwatch,
    ) -> Result<ProvidedIdentity, Rejection> {
        let consulted = RefCell::new(Vec::new());
        let verify_now = || stopwatch.time(|| self.verify_now(token, validity, &consulted));
        let rejection = match verify_now() {
            Ok(identity) => return Ok(identity),
            Err(rejection) => rejection,
        };
        let remedy = refetch::remedy(token, &rejection).min(most);
        if remedy == Remedy::None {
            return Err(rejection.into());
        }
        let (changed, next_fetch) = self.await_keys(&consulted.take(), |url| url.request(remedy));
        if changed {
            return verify_now().map_err(Rejection::from);
        }
        Err(Rejection {
            error: rejection,
            next_fetch,
        })
    }

    /// Verifies a token with the available keys. `consulted` receives the providers whose keys were read.
    fn verify_now(
        &self,
        token: &[u8],
        validity: &Validity,
        consulted: &RefCell<Vec<ProviderIndex>>,
    ) -> Result<ProvidedIdentity, Error> {
        let sets: Vec<_> = self.keys.iter().map(Keys::set).collect();
        let keys = |index: usize| {
            consulted.borrow_mut().push(ProviderIndex(index));
            key_set(&sets, index)
        };
        let verified = token::verify_provider_token(token, &self.list, keys, validity)?;
        Ok(ProvidedIdentity {
            identity: verified.identity,
            provider: ProviderIndex(verified.provider),
        })
    }

    /// Examines a token with the keys that verify it, for which it waits like [`Self::verify`].
    pub fn examine(&self, token: &[u8], validity: &Validity) -> Examination<Verified> {
        // The result is only the first error; the examination has it, too.
        let _ = self.verify(token, validity, Remedy::Refetch, &Stopwatch::default());
        let sets: Vec<_> = self.keys.iter().map(Keys::set).collect();
        examine_provider_token(token, &self.list, |index| key_set(&sets, index), validity)
    }

    /// Waits, for a limited time, for keys of these providers. Returns whether they differ from those before, and when the
    /// next fetch may be, if it is too soon for one.
    fn await_keys(&self, providers: &[ProviderIndex], request: impl Fn(&KeyUrl) -> Answer) -> (bool, Option<i64>) {
        let urls: Vec<_> = providers
            .iter()
            .filter_map(|provider| match self.keys.get(provider.0) {
                Some(Keys::Url(url)) => Some(url),
                _ => None,
            })
            .collect();
        let refresh = || {
            self.sources.set(None);
            urls.iter().filter(|url| url.borrow_mut().refresh()).count() > 0
        };
        let mut changed = refresh();
        let mut next_fetch = None;
        if !changed {
            let mut awaited = Vec::new();
            for url in &urls {
                let answer = request(&url.borrow());
                match answer {
                    Answer::Nothing => {}
                    Answer::Wait(fetch) => awaited.push((url, fetch)),
                    Answer::NotBefore(time) => next_fetch = Some(next_fetch.map_or(time, |next: i64| next.min(time))),
                }
            }
            wait_until(|| awaited.iter().all(|(url, fetch)| url.borrow().is_done(fetch)));
            changed = refresh();
        }
        if changed {
            keys_changed();
        }
        (changed, next_fetch)
    }

    /// Waits, for a limited time, for key sets that were never fetched.
    pub fn await_first(&self) {
        let all: Vec<_> = (0..self.keys.len()).map(ProviderIndex).collect();
        self.await_keys(&all, KeyUrl::request_first);
    }

    /// Has the worker fetch the key sets of the URLs.
    pub fn need_urls(&self) {
        self.urls().for_each(|url| url.borrow().need());
    }

    /// Notices changed keys, which end the identities that depended on the old ones. It notices files once a second, and
    /// URLs at once, because that reads one number in shared memory.
    fn refresh(&self) {
        // By the clock, so that a long statement also notices that a key was withdrawn.
        let second = clock::now().micros().div_euclid(1_000_000);
        let inspect_files = self.files_inspected_at.replace(second) != second;
        let mut urls = self.urls().peekable();
        let has_urls = urls.peek().is_some();
        let since_report = second.saturating_sub(self.needs_reported_at.get());
        let report_needs = has_urls && !(0..BETWEEN_REPORTS).contains(&since_report);
        let revision = if has_urls { shared_table::revision() } else { 0 };
        let inspect_urls = self.revision.replace(revision) != revision;
        if !(inspect_files || report_needs || inspect_urls) {
            return;
        }
        // Before the keys change, so that an error in between cannot leave the digest of others.
        self.sources.set(None);
        let mut changed = false;
        if inspect_files {
            for keys in &self.keys {
                if let Keys::File(file) = keys {
                    changed |= file.borrow_mut().refresh();
                }
            }
        }
        for url in urls {
            if report_needs {
                self.needs_reported_at.set(second);
                url.borrow().need();
            }
            if inspect_urls {
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

/// The key set of a provider.
fn key_set(sets: &[Result<Rc<KeySet>, Error>], index: usize) -> Result<&KeySet, Error> {
    match sets.get(index) {
        Some(Ok(set)) => Ok(set.as_ref()),
        Some(Err(error)) => Err(error.clone()),
        None => Err(Error::NoKeys),
    }
}

/// The setting.
pub struct ProvidersSetting;

thread_local! {
    static STATE: State<Providers> = const { State::new() };
}

/// Whether the current value is not empty.
static HAS_SOME: AtomicBool = AtomicBool::new(false);

impl ParsedSetting for ProvidersSetting {
    type Value = Providers;

    const NAME: &'static CStr = names::PROVIDERS;

    fn text() -> Option<CString> {
        values::providers()
    }

    /// Secrets are allowed only where users cannot read them. Every user can read `pg_db_role_setting` and `pg_proc`, and
    /// without preloading also the server's files, whose values are then placeholders.
    fn parse(text: &CStr, source: Source) -> Result<Providers, Error> {
        use GucSource::{PGC_S_DATABASE, PGC_S_DATABASE_USER, PGC_S_GLOBAL, PGC_S_SESSION, PGC_S_TEST, PGC_S_USER};
        let not_utf8 = |_| Error::Providers {
            index: None,
            problem: "is not UTF-8".to_owned(),
        };
        let text = text.to_str().map_err(not_utf8)?;
        let list = match source {
            PGC_S_GLOBAL | PGC_S_DATABASE | PGC_S_USER | PGC_S_DATABASE_USER | PGC_S_TEST => {
                provider::parse_public(text)
            }
            PGC_S_SESSION => provider::parse(text),
            _ if is_preloaded() => provider::parse(text),
            _ => provider::parse_public(text),
        }?;
        let fetched = list
            .iter()
            .enumerate()
            .find_map(|(index, provider)| match provider.source {
                KeySource::Url(_) => Some((index, "jwks_url")),
                KeySource::Discovery(_) => Some((index, "discovery")),
                KeySource::Inline(_) | KeySource::File(_) => None,
            });
        match fetched {
            Some((index, means)) if !is_preloaded() => Err(Error::NotFetched { index, means }),
            _ => Ok(Providers::new(text, list)),
        }
    }

    fn state() -> &'static LocalKey<State<Providers>> {
        &STATE
    }
}

impl StringHooks for ProvidersSetting {
    type Extra = SourceExtra;

    fn check(text: &CStr, source: Source) -> Checked<SourceExtra> {
        if !process::copying_from_leader() {
            parsed_setting::check::<Self>(text, source)?;
        }
        // Not before: a rejected value is not applied.
        applied::note_providers(source);
        Ok(Some(SourceExtra::block(source)))
    }

    fn assign(text: &CStr, extra: Option<SourceExtra>) {
        // Not read from the variable: a parallel worker that copies its leader's settings has freed its text (guc.c,
        // RestoreGUCState).
        let had_some = HAS_SOME.swap(!text.is_empty(), Relaxed);
        if text.is_empty() && had_some && process::is_open_session() {
            remembered::lose_providers();
        }
        parsed_setting::assign::<Self>(extra);
    }
}
