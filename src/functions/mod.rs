//! The SQL functions of schema `auth`.
//!
//! | module | what it owns |
//! |---|---|
//! | [`claims`] | the readers of the current identity, and the functions that present a token |
//! | [`call_site_cache`] | one value for each call site of a query, not one for each row |
//! | [`reports`] | the functions that explain: their SQL signatures |
//! | [`status`], [`providers`] | the rows of `auth.status()` and `auth.providers()` |

pub mod call_site_cache;
pub mod claims;
pub mod providers;
pub mod reports;
pub mod status;
