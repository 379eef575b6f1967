//! `pg_session_jwt.jwk`: the key of proxy mode.
//!
//! A connection is rejected if it brings two keys, or one where the server has a key or allows none. [`parsed_setting`] has the rules for unusable values.

use std::ffi::{CStr, CString};
use std::thread::LocalKey;

use pgrx::pg_sys::GucSource::{PGC_S_CLIENT, PGC_S_DEFAULT, PGC_S_OVERRIDE, Type as Source};

use crate::error::Failure;
use crate::guc::extra::SourceExtra;
use crate::guc::hooks::{Checked, StringHooks};
use crate::guc::values::client_keys;
use crate::guc::{names, process, values};
use crate::keys::parsed_setting::{self, Parsed, ParsedSetting, State};
use crate::token::keys::Key;
use crate::token::{Error, KeySet};

/// The setting.
pub struct ProxyKeySetting;

thread_local! {
    static STATE: State<KeySet> = const { State::new() };
}

/// Whether the current value, which may be empty, is from the server and not from the connection.
pub fn is_from_server() -> bool {
    let source = parsed_setting::source::<ProxyKeySetting>();
    (PGC_S_DEFAULT + 1..PGC_S_CLIENT).contains(&source) || source == PGC_S_OVERRIDE
}

/// Whether the current value, which may be empty, is from the connection.
fn is_from_client() -> bool {
    parsed_setting::source::<ProxyKeySetting>() == PGC_S_CLIENT
}

/// The key, as a set of one; None where none is set.
///
/// # Errors
/// [`Failure::NotApplied`], [`Failure::ClientKey`], [`Failure::Unusable`]
pub fn key_set() -> Parsed<KeySet> {
    match parsed_setting::current::<ProxyKeySetting>() {
        Ok(Some(_)) | Err(Failure::Unusable { .. }) if is_from_client() && !client_keys() => Err(Failure::ClientKey),
        key => key,
    }
}

/// Whether a connection may bring this key, or an empty text instead. A proxy passes its key in `options`. PostgreSQL
/// applies startup parameters after those, so a second key is not the proxy's.
fn may_bring(text: &CStr) -> Result<(), Failure> {
    let current = values::jwk().unwrap_or_default();
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

impl ParsedSetting for ProxyKeySetting {
    type Value = KeySet;

    const NAME: &'static CStr = names::JWK;

    fn text() -> Option<CString> {
        values::jwk()
    }

    fn parse(text: &CStr, _source: Source) -> Result<KeySet, Error> {
        let not_utf8 = |_| Error::KeyNotJson {
            problem: "it is not UTF-8".to_owned(),
        };
        Key::from_public_jwk(text.to_str().map_err(not_utf8)?).map(KeySet::pinned)
    }

    fn state() -> &'static LocalKey<State<KeySet>> {
        &STATE
    }
}

impl StringHooks for ProxyKeySetting {
    type Extra = SourceExtra;

    fn check(text: &CStr, source: Source) -> Checked<SourceExtra> {
        if source == PGC_S_CLIENT && !process::copying_from_leader() {
            may_bring(text).map_err(|failure| failure.report())?;
        }
        parsed_setting::check::<Self>(text, source)?;
        Ok(Some(SourceExtra::block(source)))
    }

    fn assign(_text: &CStr, extra: Option<SourceExtra>) {
        parsed_setting::assign::<Self>(extra);
    }
}
