//! OAuth logins of PostgreSQL 18.

mod bound;
mod databases;
mod identity;
mod libpq;
mod loading;
mod login;
mod many;
mod roles;
