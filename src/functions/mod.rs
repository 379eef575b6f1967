//! The SQL functions of schema `auth`.
//!
//! | module | content |
//! |---|---|
//! | [`claims`] | the functions that present a token, and the readers of the current identity |
//! | [`call_site_cache`] | one value per call site of a query, instead of one per row |
//! | [`moment`] | what a cached value depends on |
//! | [`status`], [`providers`], [`check`] | `auth.status()`, `auth.providers()` and `auth.check()` |

pub mod call_site_cache;
pub mod check;
pub mod claims;
pub mod moment;
pub mod providers;
pub mod status;
