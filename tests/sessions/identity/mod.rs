//! The identity of a session: how a token sets it, how long it lasts, and what rejects a token.

mod bypass;
mod expiry;
mod functions;
mod local_tokens;
mod memory;
mod policies;
mod rejected_claims;
mod rejection_reports;
mod rejections;
mod repeated_tokens;
mod replay;
pub mod sequences;
mod token_size;
mod transactions;
