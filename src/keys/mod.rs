//! The keys that tokens are verified with.
//!
//! | module | what it owns |
//! |---|---|
//! | [`providers`] | `pg_session_jwt.providers`: the issuers whose tokens are accepted |
//! | [`source`] | the keys of one provider: inline, in a file or at a URL |
//! | [`file`] | `jwks_file`: read again when it changes |
//! | [`url`] | `jwks_url`, as a session sees it: the set that the worker has fetched |
//! | [`wait_for_fetch`] | where a session waits for a fetch of the worker |
//! | [`refresh`] | the fetch that an administrator requests |
//! | [`rejection`] | a rejected token, and when its keys can be fetched again |
//! | [`condition`], [`complaint`] | reports about missing keys to administrators and to the log |
//! | [`proxy_key`], [`server_key`] | `pg_session_jwt.jwk`, and the one of the server's file |
//! | [`parsed_setting`] | the rules that both settings share |

#![forbid(unsafe_code)]

pub mod complaint;
pub mod condition;
pub mod file;
pub mod parsed_setting;
pub mod provider_list;
pub mod providers;
pub mod proxy_key;
pub mod refresh;
pub mod rejection;
pub mod server_key;
pub mod source;
pub mod url;
pub mod wait_for_fetch;
