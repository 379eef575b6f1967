//! OAuth logins of PostgreSQL 18.

pub mod bound;
pub mod databases;
pub mod identity;
pub mod libpq;
pub mod loading;
pub mod login;
pub mod many;
pub mod roles;
