//! Claims mode: `request.jwt.claims` as a trusted proxy sets it.

mod definition;
mod mode;
mod other_definer;
