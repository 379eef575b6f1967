//! A key that was set for the database or the role of this session, and that PostgreSQL has thrown away.
//!
//! `pg_session_jwt.jwk` cannot be set by ALTER DATABASE or ALTER ROLE. While the library is not loaded the command is
//! accepted all the same; when the library is then preloaded, PostgreSQL skips the value at each login with a WARNING
//! and no hook hears of it. Without this look into the catalog the session would go on in a weaker mode.

use std::cell::Cell;

use pgrx::prelude::*;

/// Whether a key is stored for this database, this role, or both, by pg_db_role_setting.
const STORED_KEY: &str = "SELECT EXISTS (
     SELECT FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS setting
      WHERE pg_catalog.starts_with(pg_catalog.lower(setting), 'pg_session_jwt.jwk=')
        AND pg_catalog.length(setting) OPERATOR(pg_catalog.>) pg_catalog.length('pg_session_jwt.jwk=')
        AND (s.setdatabase OPERATOR(pg_catalog.=) 0 OR s.setdatabase OPERATOR(pg_catalog.=)
             (SELECT d.oid FROM pg_catalog.pg_database d
               WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))
        AND (s.setrole OPERATOR(pg_catalog.=) 0 OR s.setrole OPERATOR(pg_catalog.=)
             (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) SESSION_USER)))";

thread_local! {
    static FOUND: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Whether there is such a key. The catalog counts as it was when it was first asked, at most once in a session:
/// PostgreSQL itself reads it at login only.
pub fn has_skipped_key() -> bool {
    FOUND.get().unwrap_or_else(|| {
        let found = look();
        FOUND.set(Some(found));
        found
    })
}

fn look() -> bool {
    // What cannot be read counts as there: the weaker mode stays shut. Read-only, so that it needs no transaction id,
    // which neither a standby nor a parallel worker could give.
    Spi::connect(|client| client.select(STORED_KEY, Some(1), &[])?.first().get_one::<bool>())
        .ok()
        .flatten()
        .unwrap_or(true)
}
