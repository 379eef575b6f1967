//! Standbys, logical replication, and recovery after a crash.

mod crash_recovery;
mod logical;
mod standby;
mod streaming;
