//! What this library needs of PostgreSQL beside its settings.
//!
//! | module | what it owns |
//! |---|---|
//! | [`clock`] | the time |
//! | [`encoding`], [`sql_types`] | texts in the database's encoding, SQL values |
//! | [`ereport`] | an error or a line of the log as PostgreSQL reports it |
//! | [`log_guard`] | tokens stay out of the server's log |
//! | [`nodes`] | expression trees |

pub mod clock;
pub mod encoding;
pub mod ereport;
pub mod log_guard;
pub mod nodes;
pub mod sql_types;
