//! Whether the settings that PostgreSQL stores for this session have changed since it was opened.
//!
//! PostgreSQL applies the settings of ALTER DATABASE and ALTER ROLE only at a login. This file therefore reads them when
//! the session first needs its identity, and again after each reload of the server's files. A session whose trust depends
//! on a value that is no longer stored gives no identity.
//!
//! The same look finds a key that PostgreSQL has skipped. `pg_session_jwt.jwk` cannot be set by those commands, but they
//! accept it while the library is not loaded. Once the library is preloaded, each login skips the value with a WARNING.
//!
//! A parallel worker reads them itself and compares them with the values of its leader. It may see a change first.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};

use pgrx::pg_sys::{GucSource, TimestampTz};

use crate::error::Failure;
use crate::guc::db_role_setting::{self, Stored};
use crate::guc::generation::{KeyGeneration, key_generation, restrictions};
use crate::guc::values::LEEWAYS;
use crate::guc::{lookup, names, parse, process, remembered};
use crate::pg::catalog;

/// A setting that trust depends on.
struct Setting {
    name: &'static CStr,
    /// Parses a value as PostgreSQL does; None for a value that it does not apply.
    parse: fn(&CStr) -> Option<Value>,
}

/// The most important setting first.
static SETTINGS: [Setting; 4] = [
    Setting {
        name: names::PROVIDERS,
        parse: text,
    },
    Setting {
        name: names::CLAIMS_FALLBACK,
        parse: boolean,
    },
    Setting {
        name: names::BIND_LOGIN_IDENTITY,
        parse: boolean,
    },
    Setting {
        name: names::LEEWAY,
        parse: seconds,
    },
];

/// A value, independent of its spelling.
#[derive(PartialEq, Eq)]
enum Value {
    Text(CString),
    Number(i32),
}

/// What a comparison depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Moment {
    files_read: TimestampTz,
    keys: KeyGeneration,
    restrictions: u64,
}

/// The stored settings at a reload of the files.
struct Snapshot {
    files_read: TimestampTz,
    stored: Vec<Stored>,
}

thread_local! {
    static SNAPSHOT: RefCell<Option<Snapshot>> = const { RefCell::new(None) };
    /// The last moment at which nothing had changed.
    static UNCHANGED: Cell<Option<Moment>> = const { Cell::new(None) };
    /// The setting that has changed. It remains so until the session ends.
    static CHANGED: Cell<Option<&'static Setting>> = const { Cell::new(None) };
    static SKIPPED_KEY: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Checks that the settings that trust depends on are still those that are stored for this session.
///
/// # Errors
/// [`Failure::StoredChanged`]
pub fn check() -> Result<(), Failure> {
    if let Some(setting) = CHANGED.get() {
        return Err(setting.has_changed());
    }
    let moment = Moment {
        files_read: process::files_read_at(),
        keys: key_generation(),
        restrictions: restrictions(),
    };
    if UNCHANGED.get() == Some(moment) || !catalog::in_transaction() {
        return Ok(());
    }
    let Some(setting) = changed_for_leader().or_else(|| with_stored(changed)) else {
        // PostgreSQL restores an equal value without a hook: nothing would tell the end of an override.
        if !SETTINGS.iter().any(Setting::is_overridden) {
            UNCHANGED.set(Some(moment));
        }
        return Ok(());
    };
    CHANGED.set(Some(setting));
    if !process::in_parallel_worker() {
        remembered::become_outdated(setting.name);
    }
    Err(setting.has_changed())
}

/// Whether a key is stored that PostgreSQL has skipped. The first read of the catalog counts.
pub fn has_skipped_key() -> bool {
    SKIPPED_KEY.get().unwrap_or_else(|| {
        if !catalog::in_transaction() {
            return false;
        }
        let is_key = |stored: &Stored| stored.name == names::JWK.to_bytes() && !stored.value.is_empty();
        let found = with_stored(|stored| stored.iter().any(is_key));
        SKIPPED_KEY.set(Some(found));
        found
    })
}

/// The setting of which this process or its leader has recorded a change.
fn changed_for_leader() -> Option<&'static Setting> {
    let outdated = remembered::outdated()?;
    SETTINGS.iter().find(|setting| setting.name == outdated.as_c_str())
}

/// Calls `read` with the stored settings, which are read again after each reload of the files.
fn with_stored<R>(read: impl FnOnce(&[Stored]) -> R) -> R {
    let files_read = process::files_read_at();
    let is_outdated = |snapshot: &Option<Snapshot>| {
        snapshot
            .as_ref()
            .is_none_or(|snapshot| snapshot.files_read != files_read)
    };
    if SNAPSHOT.with_borrow(is_outdated) {
        let stored = db_role_setting::stored();
        SNAPSHOT.set(Some(Snapshot { files_read, stored }));
    }
    SNAPSHOT.with_borrow(|snapshot| read(snapshot.as_ref().map_or(&[], |snapshot| &snapshot.stored)))
}

/// The first setting whose value differs from the stored one, unless a source of higher priority has set it.
fn changed(stored: &[Stored]) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.differs_from(stored))
}

impl Setting {
    fn has_changed(&self) -> Failure {
        Failure::StoredChanged {
            setting: names::text(self.name),
        }
    }

    /// Whether a source of higher priority than the stored settings has set it.
    fn is_overridden(&self) -> bool {
        lookup::source(self.name) > Some(GucSource::PGC_S_DATABASE_USER)
    }

    fn differs_from(&self, stored: &[Stored]) -> bool {
        use GucSource::{PGC_S_DATABASE_USER, PGC_S_GLOBAL};
        let applied = stored
            .iter()
            .filter(|stored| stored.name == self.name.to_bytes())
            .find_map(|stored| (self.parse)(&CString::new(stored.value.as_slice()).ok()?));
        match applied {
            Some(applied) => {
                let current = lookup::current(self.name).and_then(|current| (self.parse)(&current));
                !self.is_overridden() && current != Some(applied)
            }
            None => {
                let source = lookup::source(self.name).unwrap_or_default();
                (PGC_S_GLOBAL..=PGC_S_DATABASE_USER).contains(&source)
            }
        }
    }
}

fn text(value: &CStr) -> Option<Value> {
    Some(Value::Text(value.to_owned()))
}

fn boolean(value: &CStr) -> Option<Value> {
    parse::boolean(value).map(|value| Value::Number(value.into()))
}

fn seconds(value: &CStr) -> Option<Value> {
    let seconds = parse::seconds(value)?;
    LEEWAYS.contains(&seconds).then_some(Value::Number(seconds))
}
