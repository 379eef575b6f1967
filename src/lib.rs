//! `pg_session_jwt`: the verified JSON Web Token of a session as its identity, for row-level security.
//!
//! | room | content |
//! |---|---|
//! | [`functions`] | the SQL functions of schema `auth` |
//! | [`worker`] | the background worker that fetches key sets |
//! | `oauth` | since PostgreSQL 18: the validator of OAuth logins |
//! | [`check`] | the findings of `auth.check()` |
//! | [`settings`] | the order in which settings are defined, and values from before the library was loaded |
//! | [`planner`] | the rewrite of policies with sub-selects, so that they use an index |
//! | [`identity`] | the identity of the session |
//! | [`keys`] | the keys that tokens are verified with |
//! | [`jwks`] | the fetched key sets, which the worker stores and the sessions read |
//! | [`error`] | each failure as SQLSTATE, message, detail and hint |
//! | [`guc`] | the settings, and the parts of guc.c that this library needs |
//! | [`statistics`] | what the server has counted, for `auth.stats()` |
//! | [`pg`] | what this library needs of PostgreSQL other than its settings |
//! | `crates/verified_table` | the table of verified tokens that all sessions share; without PostgreSQL |
//! | [`token`] (`crates/token`) | the verification of a token with keys, a policy and the time; without PostgreSQL |
//!
//! A room uses only those below it.

#![deny(ffi_unwind_calls)]

use pg_session_jwt_token as token;

mod check;
mod error;
mod functions;
mod guc;
mod identity;
mod jwks;
mod keys;
#[cfg(any(feature = "pg18", feature = "pg19"))]
mod oauth;
mod pg;
mod planner;
mod settings;
mod statistics;
mod worker;

mod extension {
    #[cfg(not(panic = "unwind"))]
    compile_error!("A panic must become an ERROR of the one session: build with panic = \"unwind\".");

    pgrx::pg_module_magic!(name, version);

    pgrx::extension_sql_file!("../sql/schema.sql", name = "schema", bootstrap);
    pgrx::extension_sql_file!("../sql/roles.sql", name = "roles");
    // pgrx allows one file with `finalize`. The comments therefore name the functions that they follow.
    pgrx::extension_sql_file!(
        "../sql/comments.sql",
        name = "comments",
        requires = [
            auth::init,
            auth::jwt_session_init,
            auth::jwt_session_init_local,
            auth::user_id_slow,
            auth::uid_slow,
            auth::session_slow,
            auth::jwt_slow,
            auth::organization_slow,
            auth::organization_id_slow,
            auth::role_slow,
            auth::email_slow,
            auth::status,
            auth::providers,
            auth::provider_settings,
            auth::refresh_providers,
            auth::activity,
            auth::stats,
            auth::reset_stats,
            auth::verify,
            auth::check,
            auth::check_sarif
        ]
    );
    pgrx::extension_sql_file!("../sql/privileges.sql", name = "privileges", finalize);

    /// PostgreSQL calls it when the library is loaded, in the postmaster or late in a session.
    #[allow(non_snake_case)]
    #[pgrx::pg_guard]
    pub extern "C-unwind" fn _PG_init() {
        crate::settings::register::define();
        crate::pg::log_guard::install(crate::identity::activity::user_id_for_log);
        crate::pg::hooks::after_set(crate::identity::session_token::check_duration);
        crate::planner::install();
        if crate::guc::values::is_preloaded() {
            crate::jwks::shared_table::request();
            crate::pg::backend_slots::request();
            crate::identity::shared_cache::request();
            crate::statistics::request();
            crate::worker::register();
        }
    }
}

/// The entry points of the background worker, which PostgreSQL looks up by name: they need `no_mangle`, and a guard.
mod background {
    use pgrx::prelude::*;

    // SAFETY: no other library has a function of this name.
    #[unsafe(no_mangle)]
    #[pg_guard]
    pub extern "C-unwind" fn pg_session_jwt_fetch_keys(_argument: pg_sys::Datum) {
        crate::worker::run();
    }

    // SAFETY: no other library has a function of this name.
    #[unsafe(no_mangle)]
    #[pg_guard]
    pub extern "C-unwind" fn pg_session_jwt_discover(database: pg_sys::Datum) {
        crate::worker::discover::run(database.value());
    }
}

#[cfg(any(test, feature = "pg_test"))]
mod tests;

/// The functions that `cargo pgrx test` requires of an extension.
#[cfg(test)]
pub mod pg_test {
    /// Runs before the server starts.
    pub fn setup(_options: Vec<&str>) {}

    /// The lines for its postgresql.conf.
    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        Vec::new()
    }
}
