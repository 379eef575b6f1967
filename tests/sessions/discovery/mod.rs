//! Issuers whose document names their keys: an entry with `issuer` alone, or with `discovery_url`.

mod algorithms;
mod changes;
mod documents;
mod hostile;
mod oidc;
mod restart;
mod settings;
mod tls;
