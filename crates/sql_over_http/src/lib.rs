//! Neon's SQL over HTTP, and the messages of PostgreSQL's protocol that it becomes.
//!
//! Without I/O: the gateway reads and writes what is made and understood here.
#![forbid(unsafe_code)]

pub mod connection_string;
pub mod failure;
pub mod flight;
pub mod json;
pub mod parameters;
pub mod reply;
pub mod request;
pub mod statement;
pub mod value;
