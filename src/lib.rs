//! `pg_session_jwt`: the verified JSON Web Token of a session as its identity, for row-level security.
//!
//! | module | what it owns |
//! |---|---|
//! | `token` (crates/token) | the judge: token, keys, policy and time to an identity; plain Rust, no PostgreSQL |
//! | `settings` | what can be set and by whom; the hooks in which a token is judged and its identity kept |
//! | `session` | who is speaking now |
//! | `auth` | the SQL functions that say who is speaking |
//! | `reports`, `status`, `inventory` | those that explain it, to users and administrators |
//! | `check` | what `auth.check()` finds wrong with a site |
//! | `jwks` | where the keys of providers come from |
//! | `worker` | the background worker that fetches key sets |
//! | `error`, `ereport` | every refusal as SQLSTATE, message, detail and hint, and as PostgreSQL reports it |
//! | `per_query` | one value for each call site of a query, not one for each row |
//! | `oauth` | PostgreSQL 18: the login itself by token |
//! | `planner` | policies that are written as sub-selects use the index |
//! | `log_guard` | tokens stay out of the server's log |
//! | `audit`, `clock`, `encoding`, `datum` | the log line, the time, texts in the database's encoding, SQL values |
//!
//! Uses go one way: `auth` → `session` → `settings` → `jwks` → `token`, and `worker` and `oauth` → `settings`.

#![deny(ffi_unwind_calls)]

use pg_session_jwt_token as token;

mod check;
mod error;
mod functions;
mod guc;
mod identity;
mod jwks;
mod keys;
#[cfg(feature = "pg18")]
mod oauth;
mod pg;
mod planner;
mod settings;
mod worker;

mod extension {
    #[cfg(not(panic = "unwind"))]
    compile_error!("A panic must become an ERROR of the one session: build with panic = \"unwind\".");

    pgrx::pg_module_magic!(name, version);

    pgrx::extension_sql_file!("../sql/schema.sql", name = "schema", bootstrap);
    pgrx::extension_sql_file!("../sql/roles.sql", name = "roles", finalize);

    /// Called when the library is loaded, by the postmaster or late in a session.
    #[allow(non_snake_case)]
    #[pgrx::pg_guard]
    pub extern "C-unwind" fn _PG_init() {
        crate::settings::register::define();
        crate::pg::log_guard::install();
        crate::planner::install();
        if crate::guc::values::is_preloaded() {
            crate::jwks::table::request();
            crate::worker::register();
        }
    }
}

#[cfg(any(test, feature = "pg_test"))]
mod tests;

/// What `cargo pgrx test` asks of an extension.
#[cfg(test)]
pub mod pg_test {
    /// Before the server starts.
    pub fn setup(_options: Vec<&str>) {}

    /// Lines of its postgresql.conf.
    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        Vec::new()
    }
}
