//! The functions that read the identity: their values, wherever and whenever PostgreSQL calls them.

mod call_sites;
mod cost;
mod encodings;
mod parallel;
mod parallel_errors;
mod reentrance;
mod triggers;
mod value_lifetime;
mod values;
