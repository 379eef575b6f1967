//! `auth.check()`: what it reports, and what it does not.

pub mod findings;
pub mod large;
pub mod logins;
pub mod objects;
pub mod policies;
pub mod roles;
pub mod rows;
pub mod settings;
