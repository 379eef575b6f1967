//! What a cached answer depends on: the settings, the statement, its transaction and the role.

#![forbid(unsafe_code)]

use pgrx::pg_sys;

use crate::guc::generation;
use crate::identity::mode;
use crate::pg::statement;

/// The moment for which an answer was computed.
pub struct Moment {
    settings_version: u64,
    statement: pg_sys::TimestampTz,
    transaction: u32,
    role: pg_sys::Oid,
}

impl Moment {
    /// A moment that is never current: settings versions begin at 1.
    pub const NEVER: Self = Moment {
        settings_version: 0,
        statement: 0,
        transaction: 0,
        role: pg_sys::InvalidOid,
    };

    /// The current moment; None if a setting that no hook of this library sees may change before the next row.
    #[inline]
    pub fn now() -> Option<Self> {
        mode::settings_version().map(|settings_version| Moment {
            settings_version,
            statement: statement::start(),
            transaction: statement::transaction(),
            role: statement::role(),
        })
    }

    /// Whether an answer of this moment is still valid: same settings, statement, transaction and role. An answer that
    /// depends on a setting of another library is never cached.
    #[inline]
    pub fn is_current(&self) -> bool {
        generation::settings_version() == self.settings_version
            && statement::start() == self.statement
            && statement::transaction() == self.transaction
            && statement::role() == self.role
    }
}
