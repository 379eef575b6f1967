//! The keys that tokens are verified with.
//!
//! | module | what it owns |
//! |---|---|
//! | [`providers`] | `pg_session_jwt.providers`: whose tokens are accepted |
//! | [`source`] | where the keys of one provider come from |
//! | [`file`] | `jwks_file`: read again when it changes |
//! | [`url`] | `jwks_url`, as a session sees it: what the worker has fetched, and waiting for it |
//! | [`condition`], [`complaint`] | what an administrator and the log are told of keys that cannot be had |
//! | [`proxy_key`], [`server_key`] | `pg_session_jwt.jwk`, and the one of the server's file |

pub mod complaint;
pub mod condition;
pub mod file;
pub mod providers;
pub mod proxy_key;
pub mod server_key;
pub mod source;
pub mod url;
