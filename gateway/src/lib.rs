//! Neon's serverless driver in front of a PostgreSQL with pg_session_jwt.
//!
//! The gateway hands the token of each request to PostgreSQL, where the extension verifies it. It has no key, and decides
//! nothing about identity.
#![forbid(unsafe_code)]

pub mod budget;
pub mod config;
pub mod cors;
pub mod exchange;
pub mod http;
pub mod keepalive;
pub mod log;
pub mod metrics;
pub mod password_pools;
pub mod pool;
pub mod request_id;
pub mod response;
pub mod server;
pub mod service;
pub mod start;
pub mod status;
pub mod transaction;
pub mod upstream;
pub mod websocket;
