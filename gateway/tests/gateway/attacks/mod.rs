//! The attacks of tests/attacks.md that need only SQL, played through the gateway.
//!
//! The attacker is mallory. She sends any SQL, with her token, with a forged one or with none. She wants to become bob, to
//! read or change his rows, or to leave something for him. After each attack bob and a visitor use the same connection.
//! tests/sessions/attacks has the same attacks without a gateway.

mod bombs;
mod claims;
mod expiry;
mod identity;
mod late_load;
mod leaks;
mod log;
mod names;
mod odd_calls;
mod plans;
mod planted;
mod scene;
mod settings;
mod statements;
mod tokens;

pub use scene::victim;
