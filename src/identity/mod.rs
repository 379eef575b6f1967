//! Who the session is.
//!
//! | module | what it owns |
//! |---|---|
//! | [`mode`] | which source of identity counts now |
//! | [`current`] | the identity that counts, at this statement |
//! | [`session_token`] | the identity of the token, as it hangs on the setting `pg_session_jwt.jwt` |
//! | [`verify`] | a token to an identity, by the current mode, keys, time and role |
//! | [`verified_cache`] | the identities of tokens that were verified before |
//! | [`request_claims`] | `request.jwt.claims` |
//! | `login`, `login_role` | PostgreSQL 18: the user who logged in with a token |
//! | [`stored_settings`] | whether what is stored for the session is still what it was opened with |
//! | [`audit`] | the line of the log |

pub mod audit;
pub mod current;
#[cfg(feature = "pg18")]
pub mod login;
#[cfg(feature = "pg18")]
pub mod login_role;
pub mod mode;
pub mod request_claims;
pub mod session_token;
pub mod stored_settings;
pub mod verified_cache;
pub mod verify;
