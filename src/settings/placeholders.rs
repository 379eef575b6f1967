//! Loading the library after the session has begun.
//!
//! Until then PostgreSQL stores values of the library's settings as placeholders. When the settings are defined it applies
//! the stored values, and drops those that it may not apply with a mere WARNING (guc.c, `define_custom_variable`). The
//! setting is then not set, which would enable the weaker modes. Therefore the placeholders are read before. A dropped
//! value is replaced by an unusable mark, which parallel workers receive like any other value.

use std::ffi::{CStr, CString};

use pgrx::pg_sys;

use crate::guc::applied::{self, Restriction};
use crate::guc::{lookup, names, process, remembered, values};
use crate::keys::proxy_key;

/// The values of the placeholders before the settings are defined; None where a value was never set.
pub struct Placeholders {
    providers: Option<CString>,
    jwk: Option<CString>,
    claims_fallback: Option<CString>,
    client_keys: Option<CString>,
    removed_providers: bool,
    removed_jwk: bool,
    leeway: Option<CString>,
    audit_log: Option<CString>,
    log_user_id: Option<CString>,
    identity_scope: Option<CString>,
}

impl Placeholders {
    /// Reads the placeholders.
    pub fn read() -> Self {
        Placeholders {
            providers: placeholder(names::PROVIDERS),
            jwk: placeholder(names::JWK),
            claims_fallback: placeholder(names::CLAIMS_FALLBACK),
            client_keys: placeholder(names::CLIENT_KEYS),
            removed_providers: was_removed(names::PROVIDERS),
            removed_jwk: was_removed(names::JWK),
            leeway: placeholder(names::LEEWAY),
            audit_log: placeholder(names::AUDIT_LOG),
            log_user_id: placeholder(names::LOG_USER_ID),
            identity_scope: placeholder(names::IDENTITY_SCOPE),
        }
    }

    /// Restores settings that PostgreSQL dropped while loading the library. A client's placeholder, even an empty one,
    /// shadows the server's value; once it is dropped, the shadowed value is unknown. Keys and providers therefore become
    /// unusable, and restrictions take their strictest value. An empty server value that surfaces from behind a dropped
    /// one does not make the setting unset.
    pub fn restore_dropped(self) {
        let has_text = |value: &Option<CString>| value.as_ref().is_some_and(|value| !value.is_empty());
        let no_key = values::jwk().is_none();
        if self.providers.is_some() && !applied::are_providers_applied()
            || has_text(&self.providers) && values::providers().is_none()
        {
            lookup::mark_not_applied(names::PROVIDERS);
        }
        if self.jwk.is_some() && no_key && !proxy_key::is_from_server()
            || has_text(&self.jwk) && no_key
            || self.removed_jwk && no_key
        {
            lookup::mark_not_applied(names::JWK);
        }
        let restrictions = [
            (self.claims_fallback, Restriction::ClaimsFallback),
            (self.client_keys, Restriction::ClientKeys),
            (self.leeway, Restriction::Leeway),
            (self.audit_log, Restriction::AuditLog),
            (self.log_user_id, Restriction::LogUserId),
            (self.identity_scope, Restriction::IdentityScope),
        ];
        for (placeholder, restriction) in restrictions {
            if placeholder.is_some() && !restriction.is_applied() {
                restriction.set_strictest();
            }
        }
        if self.removed_providers {
            remembered::lose_providers();
        }
    }
}

/// Whether a value may have been removed from the server's file since this session began. The removal leaves an empty
/// placeholder behind. Its source is DEFAULT until the server restarts, or the file if the file has an empty value. A
/// parallel worker that loads the library by itself began after its session, and cannot tell when: it assumes the removal.
fn was_removed(name: &CStr) -> bool {
    let is_empty = || lookup::current(name).is_none_or(|value| value.is_empty());
    let is_of_server = || lookup::source(name).is_some_and(|source| source <= pg_sys::GucSource::PGC_S_ARGV);
    !values::is_preloaded()
        && (process::files_read_since_start() || process::in_parallel_worker())
        && is_empty()
        && is_of_server()
}

/// The value of a placeholder; None where a value was never set. A value that was removed from the server's file leaves
/// an empty placeholder with the source DEFAULT, until the server restarts.
fn placeholder(name: &CStr) -> Option<CString> {
    lookup::current(name).filter(|_| lookup::source(name) != Some(pg_sys::GucSource::PGC_S_DEFAULT))
}
