//! `auth.check()`: what it reports, and what it does not.

mod conditions;
mod findings;
mod large;
mod logins;
mod objects;
mod policies;
mod roles;
mod rows;
mod settings;
mod support;
