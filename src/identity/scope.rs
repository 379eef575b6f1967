//! `pg_session_jwt.identity_scope`: whether an identity counts, by how long its value lasts.
//!
//! With `transaction` only a value counts that ends with its transaction: one of SET LOCAL, or of a function's SET clause.
//! PostgreSQL says so when it assigns the value, and the value's block retains it. It therefore follows savepoints and RESET
//! like the identity itself. A parallel worker has only values of its whole life, and asks what its leader remembers.
//!
//! A value that a superuser has stored with ALTER ROLE or ALTER DATABASE counts from the next transaction on, in open
//! sessions too. It is read where an identity of the session depends on it, and again when some catalog has changed since.

use std::cell::Cell;
use std::ffi::CStr;

use pgrx::pg_sys::{GucSource, Oid};

use crate::error::Failure;
use crate::guc::extra::{IdentityExtra, Lifetime};
use crate::guc::generation::restrictions;
use crate::guc::remembered::{self, Lasting};
use crate::guc::values::Scope;
use crate::guc::{db_role_setting, lookup, names, process, values};
#[cfg(any(feature = "pg18", feature = "pg19"))]
use crate::identity::login_user;
use crate::pg::{catalog, invalidation, statement};

thread_local! {
    /// The last look at the stored values.
    static STORED: Cell<Option<Look>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Look {
    /// The role, and the number of restrictions.
    of: (Oid, u64),
    /// [`statement::transaction`]
    transaction: u32,
    /// [`messages`] before the look.
    messages: Option<u64>,
    is_transaction: bool,
}

impl Look {
    /// Whether a look now would have the same result.
    fn is_current(&self, of: (Oid, u64)) -> bool {
        let is_same = || self.messages.is_some() && self.messages == messages();
        self.of == of && (self.transaction == statement::transaction() || is_same())
    }
}

/// The messages about catalogs that this process has read. None if the transaction itself may have changed a catalog, which
/// it can still roll back without a message.
fn messages() -> Option<u64> {
    (!invalidation::may_have_changed_catalogs()).then(invalidation::messages_read)
}

/// Whether an identity has to end with its transaction.
pub fn is_transaction() -> bool {
    values::identity_scope() == Scope::Transaction || is_stored()
}

/// Whether `transaction` is stored for the role that logged in or for that of SET ROLE, and no source of higher priority has
/// set another value. The latter is stricter than PostgreSQL, which applies the stored settings of the login only.
fn is_stored() -> bool {
    if !catalog::in_transaction() {
        return false;
    }
    let of = (statement::role(), restrictions());
    match STORED.get() {
        Some(look) if look.is_current(of) => look.is_transaction,
        // Never retained: a new value counts as a restriction, but PostgreSQL restores an equal one without a hook.
        _ if lookup::source(names::IDENTITY_SCOPE) > Some(GucSource::PGC_S_DATABASE_USER) => false,
        _ => {
            // Before the look, which reads messages too: it can be newer than this number, but not older.
            let messages = messages();
            let (role, _) = of;
            let stored = db_role_setting::values(names::IDENTITY_SCOPE, role, Scope::parse);
            let is_transaction = stored.contains(&Scope::Transaction);
            STORED.set(Some(Look {
                of,
                transaction: statement::transaction(),
                messages,
                is_transaction,
            }));
            is_transaction
        }
    }
}

/// Follows an assignment of a setting with an identity.
pub fn assigned(setting: &'static CStr, lasting: &'static Lasting, extra: Option<IdentityExtra<'_>>) {
    let lifetime = extra.map(|extra| {
        let lifetime = extra.lifetime.get().unwrap_or_else(|| lifetime_of_new(setting));
        extra.lifetime.set(Some(lifetime));
        lifetime
    });
    if !process::in_parallel_worker() {
        lasting.remember(lifetime == Some(Lifetime::Session));
    }
}

/// How long a value lasts that is being assigned for the first time.
fn lifetime_of_new(setting: &CStr) -> Lifetime {
    if lookup::is_local(setting) {
        Lifetime::Transaction
    } else if process::in_parallel_worker() {
        Lifetime::OfLeader
    } else {
        Lifetime::Session
    }
}

/// Whether an identity counts. Where it does not, the session is anonymous.
///
/// # Errors
/// [`Failure::UnknownLifetime`]
pub fn counts(lasting: &'static Lasting, identity: &IdentityExtra<'_>) -> Result<bool, Failure> {
    match identity.lifetime.get() {
        Some(Lifetime::Transaction) => Ok(true),
        // No other user can get an identity in that session.
        #[cfg(any(feature = "pg18", feature = "pg19"))]
        Some(Lifetime::Connection) if login_user::is_bound() => Ok(true),
        Some(Lifetime::OfLeader) => match lasting.of_leader() {
            Some(is_session) => Ok(!is_session || !is_transaction()),
            None => unknown(),
        },
        Some(Lifetime::Session | Lifetime::Connection) | None => Ok(!is_transaction()),
    }
}

/// Whether an identity counts, as far as that is known without a catalog. It cannot fail.
pub fn may_count(identity: &IdentityExtra<'_>) -> bool {
    let is_stored = || STORED.get().is_some_and(|look| look.is_transaction);
    identity.lifetime.get() == Some(Lifetime::Transaction) || values::identity_scope() == Scope::Any && !is_stored()
}

/// Like [`counts`], for claims that no hook of this library has seen.
///
/// # Errors
/// [`Failure::UnknownLifetime`]
pub fn counts_unseen(setting: &CStr) -> Result<bool, Failure> {
    match lookup::is_local(setting) {
        true => Ok(true),
        false if process::in_parallel_worker() => unknown(),
        false => Ok(!is_transaction()),
    }
}

/// An identity of which this worker does not know how long its leader has it.
fn unknown() -> Result<bool, Failure> {
    if is_transaction() {
        Err(Failure::UnknownLifetime)
    } else {
        Ok(true)
    }
}

/// What parallel workers learn about the token.
pub const TOKEN: &Lasting = &remembered::TOKEN;
/// What parallel workers learn about the claims of a gateway.
pub const CLAIMS: &Lasting = &remembered::CLAIMS;
