//! OAuth logins, since PostgreSQL 18.

mod bound;
mod databases;
mod device_flow;
mod examined;
mod identity;
mod libpq;
mod loading;
mod login;
mod many;
mod roles;
