//! Whether the settings that PostgreSQL stores for this session are still those that it was opened with.
//!
//! PostgreSQL applies what ALTER DATABASE and ALTER ROLE store at a login only. So what a superuser changes there is
//! looked at here: when the session first asks who it is, and again whenever the server's files were read anew. A session
//! whose trust rests on a value that is not stored any more gives no identity. The same look finds a key that PostgreSQL
//! has thrown away: `pg_session_jwt.jwk` cannot be set by those commands, but they are accepted while the library is not
//! loaded, and once it is preloaded the value is skipped at each login with a WARNING.
//!
//! A parallel worker looks by itself, at the values of its leader; so it may see a change before its leader does.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};

use pgrx::pg_sys;

use crate::error::Failure;
use crate::guc::generation::{KeyGeneration, key_generation, restrictions};
use crate::guc::{db_role_setting, lookup, names, process, remembered};
use crate::pg::catalog;

type Setting = (&'static CStr, fn(&CStr) -> Option<Value>);

/// What trust rests on, and how its values are read. The most telling first.
static SETTINGS: [Setting; 4] = [
    (names::PROVIDERS, text),
    (names::CLAIMS_FALLBACK, boolean),
    (names::BIND_LOGIN_IDENTITY, boolean),
    (names::LEEWAY, seconds),
];

/// A value that PostgreSQL can apply, however it is written.
#[derive(PartialEq, Eq)]
enum Value {
    Text(CString),
    Number(i32),
}

/// When the files were read, and how often what is compared was assigned.
type Moment = (pg_sys::TimestampTz, KeyGeneration, u64);

struct Looked {
    files_read: pg_sys::TimestampTz,
    stored: Vec<db_role_setting::Stored>,
}

thread_local! {
    static LOOKED: RefCell<Option<Looked>> = const { RefCell::new(None) };
    /// The last moment at which nothing had changed.
    static UNCHANGED: Cell<Option<Moment>> = const { Cell::new(None) };
    /// The setting that has changed: nothing that happens in the session makes up for it.
    static CHANGED: Cell<Option<&'static str>> = const { Cell::new(None) };
    static SKIPPED_KEY: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Asks whether what this session trusts is still what is stored for it.
///
/// # Errors
/// [`Failure::StoredChanged`]
pub(crate) fn unchanged() -> Result<(), Failure> {
    if let Some(setting) = CHANGED.get() {
        return Err(Failure::StoredChanged { setting });
    }
    let files_read = process::files_read_at();
    let moment = (files_read, key_generation(), restrictions());
    if UNCHANGED.get() == Some(moment) || !catalog::in_transaction() {
        return Ok(());
    }
    let of_leader = || {
        let outdated = remembered::outdated()?;
        SETTINGS.iter().find(|(name, ..)| **name == *outdated)
    };
    let Some((name, _)) = of_leader().or_else(|| with_stored(files_read, changed)) else {
        UNCHANGED.set(Some(moment));
        return Ok(());
    };
    let setting = names::text(name);
    CHANGED.set(Some(setting));
    if !process::in_parallel_worker() {
        remembered::become_outdated(name);
    }
    Err(Failure::StoredChanged { setting })
}

/// Whether a key is stored that PostgreSQL has skipped. The catalog counts as it was when it was first asked.
pub(crate) fn has_skipped_key() -> bool {
    SKIPPED_KEY.get().unwrap_or_else(|| {
        if !catalog::in_transaction() {
            return false;
        }
        let is_key =
            |stored: &db_role_setting::Stored| stored.name == names::JWK.to_bytes() && !stored.value.is_empty();
        let found = with_stored(process::files_read_at(), |stored| stored.iter().any(is_key));
        SKIPPED_KEY.set(Some(found));
        found
    })
}

fn with_stored<R>(files_read: pg_sys::TimestampTz, ask: impl FnOnce(&[db_role_setting::Stored]) -> R) -> R {
    let is_old = LOOKED.with_borrow(|looked| looked.as_ref().is_none_or(|looked| looked.files_read != files_read));
    if is_old {
        let stored = db_role_setting::stored();
        LOOKED.set(Some(Looked { files_read, stored }));
    }
    LOOKED.with_borrow(|looked| ask(looked.as_ref().map_or(&[], |looked| &looked.stored)))
}

/// The first setting whose value is not what is stored, where nothing that counts for more covers it.
fn changed(stored: &[db_role_setting::Stored]) -> Option<&'static Setting> {
    use pg_sys::GucSource::{PGC_S_DATABASE_USER, PGC_S_GLOBAL};
    let is_other = |(name, read): &Setting| {
        let source = lookup::source(name).unwrap_or_default();
        let values = stored.iter().filter(|stored| stored.name == name.to_bytes());
        let applied = values
            .filter_map(|stored| read(&CString::new(stored.value.as_slice()).ok()?))
            .next();
        match applied {
            Some(applied) => {
                source <= PGC_S_DATABASE_USER
                    && lookup::current(name).and_then(|current| read(&current)) != Some(applied)
            }
            None => (PGC_S_GLOBAL..=PGC_S_DATABASE_USER).contains(&source),
        }
    };
    SETTINGS.iter().find(|setting| is_other(setting))
}

fn text(value: &CStr) -> Option<Value> {
    Some(Value::Text(value.to_owned()))
}

fn boolean(value: &CStr) -> Option<Value> {
    let mut read = false;
    // SAFETY: a C string, and a place to write to.
    let is_boolean = unsafe { pg_sys::parse_bool(value.as_ptr(), &mut read) };
    is_boolean.then_some(Value::Number(read.into()))
}

fn seconds(value: &CStr) -> Option<Value> {
    let mut read = 0;
    // SAFETY: a C string, a place to write to, and nobody who wants a hint.
    let is_number = unsafe {
        pg_sys::parse_int(
            value.as_ptr(),
            &mut read,
            pg_sys::GUC_UNIT_S as i32,
            std::ptr::null_mut(),
        )
    };
    (is_number && crate::guc::values::LEEWAYS.contains(&read)).then_some(Value::Number(read))
}
