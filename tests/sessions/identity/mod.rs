//! The identity of a session: how a token sets it, how long it lasts, and what rejects a token.

pub mod expiry;
pub mod functions;
pub mod memory;
pub mod policies;
pub mod rejected_claims;
pub mod rejections;
pub mod repeated_tokens;
pub mod replay;
pub mod sequences;
pub mod token_size;
pub mod transactions;
