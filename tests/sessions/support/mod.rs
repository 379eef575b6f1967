//! What several subjects share.

pub mod application;
pub mod extension_catalog;
pub mod key_fetcher;
pub mod oauth_server;
pub mod old_versions;
