//! Tests with real servers and several sessions: what a client sees, over the wire.
//!
//! PG_CONFIG names the PostgreSQL, in which the extension must be installed. Servers, databases, keys and tokens are
//! made by the tests.

mod application;
mod audit_log;
mod call_sites;
mod catalog;
mod claims_mode;
mod cluster;
mod cost;
mod covered_settings;
mod dump;
mod encodings;
mod existing_clients;
mod existing_deployments;
mod expiry;
mod functions;
mod identity;
mod installation;
mod installation_hostile;
mod installation_race;
mod installation_roles;
mod jwks_url;
mod jwks_url_down;
mod jwks_url_faults;
mod jwks_url_limits;
mod jwks_url_redirects;
mod jwks_url_slow;
mod jwks_url_tls;
mod key_files;
mod key_kinds;
mod key_server;
mod key_server_tls;
mod late_load;
mod loading;
mod logs;
mod major_upgrade;
mod memory;
mod oidc;
mod old_versions;
mod other_definer;
mod policies;
mod provider_shapes;
mod providers;
mod providers_malformed;
mod readers;
mod readme;
mod refusals;
mod refused_claims;
mod removal;
mod repeated_tokens;
mod replay;
mod resets;
mod restore;
mod rights;
mod secrecy;
mod server;
mod server_key;
mod session;
#[path = "../core/sign.rs"]
#[allow(dead_code, reason = "shared with tests/core, which uses all of it")]
mod sign;
mod standby;
mod startup;
mod stored_settings;
mod token_size;
mod tree;
mod triggers;
mod upgrade;
mod upgrade_library_only;
mod upgrade_refused;
mod worker_errors;
mod workers;
