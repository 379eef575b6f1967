//! The identity of a session: how a token sets it, how long it lasts, and what rejects a token.

mod expiry;
mod functions;
mod memory;
mod policies;
mod rejected_claims;
mod rejections;
mod repeated_tokens;
mod replay;
pub mod sequences;
mod token_size;
mod transactions;
