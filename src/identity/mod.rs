//! The identity of the session.
//!
//! | module | content |
//! |---|---|
//! | [`current`] | the current identity, at this statement |
//! | [`mode`] | the source of identities that applies now |
//! | [`session_token`] | the identity of the token, attached to the setting `pg_session_jwt.jwt` |
//! | [`verify`] | the verification of a token, by the current mode, keys, time and role |
//! | [`examine`] | each rule for a token with its result |
//! | [`verified_token`] | a verified token and its digest |
//! | [`verified_cache`] | the tokens that this process has verified before |
//! | [`shared_cache`] | the tokens that any process has verified before |
//! | [`request_claims`] | `request.jwt.claims` |
//! | [`provider_roles`] | which database roles may use the tokens of a provider |
//! | `login`, `login_privileges`, `login_user` | since PostgreSQL 18: an OAuth login, the limits of its role, its user |
//! | [`scope`] | whether an identity counts, by how long it lasts |
//! | [`stored_settings`] | whether the settings that are stored for the session have changed |
//! | [`activity`], [`activity_record`] | what this process shows of its identity to other sessions |
//! | [`presented`] | a token that is presented, whose outcome is logged and counted |
//! | [`audit`] | the line of the audit log |

#![forbid(unsafe_code)]

pub mod activity;
mod activity_record;
pub mod audit;
pub mod current;
pub mod examine;
#[cfg(any(feature = "pg18", feature = "pg19"))]
pub mod login;
#[cfg(any(feature = "pg18", feature = "pg19"))]
pub mod login_privileges;
#[cfg(any(feature = "pg18", feature = "pg19"))]
pub mod login_user;
pub mod mode;
pub mod presented;
pub mod provider_roles;
pub mod request_claims;
pub mod scope;
pub mod session_token;
pub mod shared_cache;
pub mod stored_settings;
pub mod verified_cache;
pub mod verified_token;
pub mod verify;
