//! Servers whose providers have their keys at a URL.

use testkit::server::Server;

/// A provider's entry in the setting, with its keys from a URL.
pub fn entry(issuer: &str, url: &str) -> String {
    format!(r#"{{"issuer":"{issuer}","jwks_url":"{url}"}}"#)
}

/// A server with the worker, and with these providers in its own setting.
pub fn server_with(entries: &[String], more: &str) -> Server {
    Server::start(&conf(entries, more))
}

pub fn conf(entries: &[String], more: &str) -> String {
    format!(
        "shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.providers = '[{}]'\n{more}",
        entries.join(",")
    )
}
