//! Tests with real servers and several sessions: what a client sees, over the wire.
//!
//! PG_CONFIG names a PostgreSQL with the extension installed. The tests make servers, databases, keys and tokens.

mod attacks;
mod bystanders;
mod check;
mod claims;
mod docs;
mod identity;
mod install;
mod jwks_url;
mod logging;
mod oauth;
mod planner;
mod pooling;
mod providers;
mod readers;
mod replication;
mod settings;
mod support;
mod upgrade;
