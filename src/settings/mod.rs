//! Loading: the settings are defined whenever the library is loaded, before or after the session has begun.

#![forbid(unsafe_code)]

pub mod placeholders;
pub mod register;
