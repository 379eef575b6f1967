//! Standbys, logical replication, and recovery after a crash.

pub mod crash_recovery;
pub mod logical;
pub mod standby;
pub mod streaming;
