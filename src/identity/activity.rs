//! What this process shows of its identity to other sessions, for `auth.activity()`.
//!
//! The assign hook of the token or the claims shows an identity that was verified with the current keys. Every other one is
//! shown from its next use on, because its verification can fail, which an assign hook cannot. An identity is hidden as soon
//! as something changes that it depends on. What is shown was therefore verified, or is claims that a policy has trusted.
//!
//! A parallel worker shows nothing: its leader does.

use std::cell::Cell;

use pgrx::pg_sys::Oid;

use crate::guc::extra::{IdentityExtra, Lifetime, ProviderIndex};
use crate::guc::generation::{KeyGeneration, key_generation, restrictions};
use crate::guc::values;
use crate::identity::activity_record::{self, Record};
pub use crate::identity::activity_record::{Row, Source};
use crate::pg::backend_slots::Content;
use crate::pg::log_user::LoggedUserId;
use crate::pg::{backend, backend_slots, statement};
use crate::token::identity::{FlatIdentity, IdentityText};

/// What the content of the slot depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Basis {
    source: Source,
    value_number: u64,
    keys: KeyGeneration,
    restrictions: u64,
    role: Oid,
}

thread_local! {
    /// What the slot shows. Another key generation or restriction has cleared the slot.
    static SHOWN: Cell<Option<Basis>> = const { Cell::new(None) };
    /// What it shows. It is here without preloading, too.
    static CONTENT: Cell<Content> = const { Cell::new([0; backend_slots::CONTENT]) };
    /// The keys and restrictions under which a policy has last trusted claims.
    static CLAIMS_TRUSTED: Cell<Option<(KeyGeneration, u64)>> = const { Cell::new(None) };
}

/// The rows of all processes that show an identity; None unless the library is preloaded.
pub fn rows() -> Option<Vec<Row>> {
    let rows = || backend_slots::contents().filter_map(|content| activity_record::decode(&content));
    backend_slots::exist().then(|| rows().collect())
}

/// Prepares this process to show identities. It may raise an error, and comes before the first [`show`].
pub fn begin() {
    backend_slots::attach();
}

/// Shows an identity, which belongs to this value of a setting. It cannot fail, and does nothing where it is shown already.
pub fn show(source: Source, value: &IdentityExtra<'_>, identity: &FlatIdentity<'_>) {
    if source != Source::Claims {
        CLAIMS_TRUSTED.set(None);
    }
    let basis = Basis {
        source,
        value_number: value.value_number,
        keys: key_generation(),
        restrictions: restrictions(),
        role: statement::role(),
    };
    if SHOWN.replace(Some(basis)) == Some(basis) {
        return;
    }
    let content = activity_record::encode(&Record {
        pid: backend::pid(),
        database: backend::database(),
        role: basis.role,
        source,
        is_local: value.lifetime.get() == Some(Lifetime::Transaction),
        since: value.since,
        expires: identity.expires(),
        user_id: identity.text(IdentityText::UserId),
        issuer: identity.text(IdentityText::Issuer),
        kid: identity.text(IdentityText::KeyId),
    });
    CONTENT.set(content);
    backend_slots::write(&content);
}

/// The user id for the server's log. None where the log is not to have it, or where other sessions see none. It allocates
/// nothing.
pub fn user_id_for_log() -> Option<LoggedUserId> {
    let is_current = |shown: Basis| (shown.keys, shown.restrictions) == (key_generation(), restrictions());
    if !values::log_user_id() || !SHOWN.get().is_some_and(is_current) {
        return None;
    }
    activity_record::user_id(&CONTENT.get(), LoggedUserId::of).flatten()
}

/// Shows no identity, and none from claims before a policy has trusted them again.
pub fn hide() {
    CLAIMS_TRUSTED.set(None);
    hide_shown();
}

/// Shows no identity of a token. Claims may count without one.
pub fn hide_token() {
    if SHOWN.get().is_some_and(|shown| shown.source != Source::Claims) {
        hide_shown();
    }
}

/// Shows no identity of claims.
pub fn hide_claims() {
    if SHOWN.get().is_some_and(|shown| shown.source == Source::Claims) {
        hide_shown();
    }
}

fn hide_shown() {
    if SHOWN.take().is_some() {
        backend_slots::clear();
    }
}

/// Notes that claims count under the current settings, so that the next ones are shown when they are set.
pub fn claims_count() {
    hide_token();
    CLAIMS_TRUSTED.set(Some((key_generation(), restrictions())));
}

/// Whether claims counted at the last use, and no setting has changed since.
pub fn do_claims_count() -> bool {
    CLAIMS_TRUSTED.get() == Some((key_generation(), restrictions()))
}

impl Source {
    /// The source of a token.
    pub fn of_token(provider: Option<ProviderIndex>) -> Self {
        match provider {
            Some(_) => Source::Provider,
            None => Source::Proxy,
        }
    }
}
