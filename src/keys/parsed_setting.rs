//! A setting with keys or providers: a JSON text, parsed at its first use after each assignment.
//!
//! An unusable value is rejected only where a person receives the error. Anywhere else PostgreSQL would drop a rejected
//! value with a WARNING and continue as if it were not set. There it is accepted and logged, and every use of it fails.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::rc::Rc;
use std::thread::LocalKey;

use pgrx::pg_sys::GucSource::{PGC_S_DEFAULT, PGC_S_OVERRIDE, PGC_S_SESSION, PGC_S_TEST, Type as Source};
use pgrx::prelude::*;

use crate::error::Failure;
use crate::guc::extra::SourceExtra;
use crate::guc::generation::keys_changed;
use crate::guc::{lookup, names};
use crate::pg::ereport::Report;
use crate::token::Error;

/// The parsed value; None where none is set.
pub type Parsed<T> = Result<Option<Rc<T>>, Failure>;

/// The rules of one such setting.
pub trait ParsedSetting {
    type Value: 'static;

    const NAME: &'static CStr;

    /// The text of the setting; None where it is empty.
    fn text() -> Option<CString>;

    /// Parses a text that came from a source.
    ///
    /// # Errors
    /// The value is unusable.
    fn parse(text: &CStr, source: Source) -> Result<Self::Value, Error>;

    /// The state of this process.
    fn state() -> &'static LocalKey<State<Self::Value>>;
}

/// What a process holds of the setting.
pub struct State<T> {
    source: Cell<Source>,
    parsed: RefCell<Option<Parsed<T>>>,
}

impl<T> State<T> {
    /// A setting that was never assigned.
    pub const fn new() -> Self {
        State {
            source: Cell::new(PGC_S_DEFAULT),
            parsed: RefCell::new(None),
        }
    }
}

/// The source of the current value.
pub fn source<S: ParsedSetting>() -> Source {
    S::state().with(|state| state.source.get())
}

/// The current value, parsed once for each assignment.
///
/// # Errors
/// [`Failure::NotApplied`], [`Failure::Unusable`]
pub fn current<S: ParsedSetting>() -> Parsed<S::Value> {
    S::state().with(|state| {
        let mut parsed = state.parsed.borrow_mut();
        parsed
            .get_or_insert_with(|| parse_now::<S>().map(|value| value.map(Rc::new)))
            .clone()
    })
}

/// The current value, parsed for this call.
///
/// # Errors
/// The same as [`current`].
pub fn parse_now<S: ParsedSetting>() -> Result<Option<S::Value>, Failure> {
    let setting = names::text(S::NAME);
    let Some(text) = S::text() else {
        return Ok(None);
    };
    if lookup::is_mark(&text) {
        return Err(Failure::NotApplied { setting });
    }
    S::parse(&text, source::<S>())
        .map(Some)
        .map_err(|problem| Failure::Unusable { setting, problem })
}

/// Checks a new value for the check hook.
///
/// # Errors
/// The value is unusable, and a person receives the error.
pub fn check<S: ParsedSetting>(text: &CStr, source: Source) -> Result<(), Report> {
    // A session that retains the server's key need not log again what the server has logged.
    if text.is_empty() || lookup::is_mark(text) || source == PGC_S_OVERRIDE {
        return Ok(());
    }
    let Err(problem) = S::parse(text, source) else {
        return Ok(());
    };
    if source == PGC_S_SESSION || source == PGC_S_TEST {
        return Err(Failure::Token(problem).report());
    }
    log_unusable::<S>(problem);
    Ok(())
}

/// Follows an assignment for the assign hook. Without a block the value is the default.
pub fn assign<S: ParsedSetting>(extra: Option<SourceExtra>) {
    S::state().with(|state| {
        state.source.set(extra.map_or(PGC_S_DEFAULT, |extra| extra.source));
        // The variable still has the old value, so the new one is parsed at its first use.
        state.parsed.replace(None);
    });
    keys_changed();
}

/// Logs an unusable value. Rejecting it here would drop it silently, so this is the only message that the administrator
/// gets.
fn log_unusable<S: ParsedSetting>(problem: Error) {
    let setting = names::text(S::NAME);
    let report = Failure::Unusable { setting, problem }.report();
    log!("{}; {}", report.message, report.detail.unwrap_or_default());
}
