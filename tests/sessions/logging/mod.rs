//! What the server log, the audit log and statistics contain, and what they must not.

pub mod audit_log;
pub mod secrecy;
pub mod statement_logs;
