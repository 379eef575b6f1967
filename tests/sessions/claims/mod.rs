//! Claims mode: `request.jwt.claims` as a trusted gateway sets it.

mod definition;
mod mode;
mod other_definer;
