//! The parts of PostgreSQL that this library needs other than its settings.
//!
//! | module | what it owns |
//! |---|---|
//! | [`arguments`] | arguments of functions, with a limit |
//! | [`backend`], [`backend_slots`] | this process among the others, and what each of them shows |
//! | [`catalog`] | lookups in the catalogs |
//! | `catalog_scan` | since PostgreSQL 18: scans of catalogs |
//! | [`clock`] | the time |
//! | [`encoding`], [`sql_types`] | texts in the database's encoding, SQL values |
//! | [`ereport`] | an error or a line of the log as PostgreSQL reports it |
//! | `first_statement` | since PostgreSQL 18: a check before the first statement of a session |
//! | [`hooks`] | PostgreSQL's hooks |
//! | [`invalidation`] | whether catalogs can have changed |
//! | [`log_guard`] | hides tokens from the server's log |
//! | [`log_user`] | the user id in the server's log |
//! | [`memory`] | memory of PostgreSQL's that ends with a closure |
//! | [`nodes`] | query and expression trees |
//! | [`random`] | secrets |
//! | [`quote`] | names and texts in a statement |
//! | [`statement`] | the statement that is executed, its transaction and role |
//! | [`transaction_block`] | whether a setting for the transaction can have an effect |
//! | [`shared_memory`], [`shared_words`] | memory that all processes share |
//! | [`latch`], [`thread`], [`background_worker`] | processes and threads |

pub mod arguments;
pub mod backend;
pub mod backend_slots;
pub mod background_worker;
pub mod catalog;
#[cfg(any(feature = "pg18", feature = "pg19"))]
pub mod catalog_scan;
pub mod clock;
pub mod encoding;
pub mod ereport;
#[cfg(any(feature = "pg18", feature = "pg19"))]
pub mod first_statement;
pub mod hooks;
pub mod invalidation;
pub mod latch;
pub mod log_guard;
pub mod log_user;
pub mod memory;
pub mod nodes;
pub mod quote;
pub mod random;
pub mod shared_memory;
pub mod shared_words;
pub mod sql_types;
pub mod statement;
pub mod thread;
pub mod transaction_block;
