//! Attacks with SQL against real servers; each must fail. tests/attacks.md lists them.
//!
//! The attacker is mallory. She has her own token or none, and is `authenticated`. She wants to become alice, to
//! read her rows or her token, to stop the server, or to own it. The deployment follows the README: the library is
//! preloaded, the providers are in postgresql.conf, and each user has their rows.

mod background;
mod bombs;
mod deployment;
mod forgeries;
mod identity;
mod leaks;
mod library;
mod log;
mod names;
mod new_statements;
mod odd_calls;
mod plans;
mod pooling;
mod rsa_forgeries;
mod settings;
mod shared_role;
mod startup;
mod statements;
mod ways;
pub mod wire;
