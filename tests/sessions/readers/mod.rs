//! The functions that read the identity: their values, wherever and whenever PostgreSQL calls them.

pub mod call_sites;
pub mod cost;
pub mod encodings;
pub mod parallel;
pub mod parallel_errors;
pub mod reentrance;
pub mod triggers;
pub mod value_lifetime;
pub mod values;
