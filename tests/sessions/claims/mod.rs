//! Claims mode: `request.jwt.claims` as a trusted proxy sets it.

pub mod definition;
pub mod mode;
pub mod other_definer;
