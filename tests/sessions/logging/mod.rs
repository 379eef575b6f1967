//! What the server log, the audit log and statistics contain, and what they must not.

mod audit_log;
mod secrecy;
mod statement_logs;
mod user_id;
