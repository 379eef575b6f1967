//! The identity of the session.
//!
//! | module | content |
//! |---|---|
//! | [`current`] | the current identity, at this statement |
//! | [`mode`] | the source of identities that applies now |
//! | [`session_token`] | the identity of the token, attached to the setting `pg_session_jwt.jwt` |
//! | [`verify`] | the verification of a token, by the current mode, keys, time and role |
//! | [`verified_token`] | a verified token and its digest |
//! | [`verified_cache`] | the tokens that were verified before |
//! | [`request_claims`] | `request.jwt.claims` |
//! | [`provider_roles`] | which database roles may use the tokens of a provider |
//! | `login`, `login_privileges`, `login_user` | PostgreSQL 18: an OAuth login, the limits of its role, its user |
//! | [`stored_settings`] | whether the settings that are stored for the session have changed |
//! | [`audit`] | the line of the audit log |

#![forbid(unsafe_code)]

pub mod audit;
pub mod current;
#[cfg(feature = "pg18")]
pub mod login;
#[cfg(feature = "pg18")]
pub mod login_privileges;
#[cfg(feature = "pg18")]
pub mod login_user;
pub mod mode;
pub mod provider_roles;
pub mod request_claims;
pub mod session_token;
pub mod stored_settings;
pub mod verified_cache;
pub mod verified_token;
pub mod verify;
