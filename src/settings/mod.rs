//! The settings as PostgreSQL is told of them, whenever the library is loaded.

pub mod placeholders;
pub mod register;
