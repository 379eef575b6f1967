//! Attacks with SQL, mounted against real servers; each must fail. Which is which: tests/attacks.md.
//!
//! The attacker is mallory. She has a token of her own, or none, is `authenticated`, and wants to be alice, to read her
//! rows or her token, to stop the server, or to become its owner. The site is set up as the README says: the library is
//! preloaded, the providers are in postgresql.conf, and each user has their rows.

mod background;
mod bombs;
mod forgeries;
mod identity;
mod leaks;
mod library;
mod log;
mod names;
mod odd_calls;
mod plans;
mod pooling;
mod rsa_forgeries;
mod settings;
mod shared_role;
mod site;
mod startup;
mod statements;
mod ways;
pub mod wire;
