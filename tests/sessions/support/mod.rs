//! Modules that several subjects share.

pub mod application;
pub mod audit_log;
pub mod deployment_0_5;
pub mod discovery;
pub mod dump;
pub mod environment;
pub mod extension_catalog;
pub mod findings;
pub mod jwks_faults;
pub mod jwks_url;
pub mod key_fetcher;
pub mod oauth_server;
pub mod oidc;
pub mod old_versions;
pub mod parallel;
pub mod pg_upgrade;
pub mod pipe;
pub mod pooling;
pub mod process_memory;
pub mod reload;
pub mod standby;
pub mod strict;
