//! Tests with real servers and several sessions: what a client sees, over the wire.
//!
//! PG_CONFIG names a PostgreSQL with the extension installed. The tests make servers, databases, keys and tokens.

mod activity;
mod attacks;
mod bystanders;
mod check;
mod claims;
mod discovery;
mod docs;
mod identity;
mod identity_scope;
mod install;
mod jwks_url;
mod logging;
mod oauth;
mod planner;
mod pooling;
mod providers;
mod readers;
mod recognition;
mod replication;
mod settings;
mod shared_cache;
mod stats;
mod support;
mod upgrade;
