//! The SQL functions of schema `auth`.
//!
//! | module | content |
//! |---|---|
//! | [`claims`] | the functions that present a token, and the readers of the current identity |
//! | [`call_site_cache`] | one value per call site of a query, instead of one per row |
//! | [`moment`] | what a cached value depends on |
//! | [`status`], [`providers`], [`check`], [`verify`] | `auth.status()`, `auth.providers()`, `auth.check()` and `auth.verify()` |
//! | [`policy_bypass`] | the warning of `auth.status()` |
//! | [`provider_settings`] | `auth.provider_settings()` |
//! | [`activity`] | `auth.activity()` |
//! | [`stats`] | `auth.stats()` and `auth.reset_stats()` |
//! | [`refresh_providers`] | `auth.refresh_providers()` |

pub mod activity;
pub mod call_site_cache;
pub mod check;
pub mod claims;
pub mod moment;
mod policy_bypass;
pub mod provider_settings;
pub mod providers;
pub mod refresh_providers;
pub mod stats;
pub mod status;
pub mod verify;
