//! The parts of PostgreSQL that this library needs other than its settings.
//!
//! | module | what it owns |
//! |---|---|
//! | [`catalog`] | lookups in the catalogs |
//! | `catalog_scan` | PostgreSQL 18: scans of catalogs |
//! | [`clock`] | the time |
//! | [`encoding`], [`sql_types`] | texts in the database's encoding, SQL values |
//! | [`ereport`] | an error or a line of the log as PostgreSQL reports it |
//! | `first_statement` | PostgreSQL 18: a check before the first statement of a session |
//! | [`hooks`] | PostgreSQL's hooks |
//! | [`log_guard`] | hides tokens from the server's log |
//! | [`memory`] | memory of PostgreSQL's that ends with a closure |
//! | [`nodes`] | query and expression trees |
//! | [`statement`] | the statement that is executed, its transaction and role |
//! | [`latch`], [`shared_memory`], [`thread`], [`background_worker`] | processes and threads |

pub mod background_worker;
pub mod catalog;
#[cfg(feature = "pg18")]
pub mod catalog_scan;
pub mod clock;
pub mod encoding;
pub mod ereport;
#[cfg(feature = "pg18")]
pub mod first_statement;
pub mod hooks;
pub mod latch;
pub mod log_guard;
pub mod memory;
pub mod nodes;
pub mod shared_memory;
pub mod sql_types;
pub mod statement;
pub mod thread;
