//! The names of the settings.

use std::ffi::CStr;

pub const PREFIX: &CStr = c"pg_session_jwt";
pub const PROVIDERS: &CStr = c"pg_session_jwt.providers";
pub const JWK: &CStr = c"pg_session_jwt.jwk";
pub const JWT: &CStr = c"pg_session_jwt.jwt";
pub const CLAIMS_FALLBACK: &CStr = c"pg_session_jwt.claims_fallback";
pub const LEEWAY: &CStr = c"pg_session_jwt.leeway";
pub const BIND_LOGIN_IDENTITY: &CStr = c"pg_session_jwt.bind_login_identity";
pub const AUDIT_LOG: &CStr = c"pg_session_jwt.audit_log";
pub const LOG_USER_ID: &CStr = c"pg_session_jwt.log_user_id";
pub const IDENTITY_SCOPE: &CStr = c"pg_session_jwt.identity_scope";
pub const CA_FILE: &CStr = c"pg_session_jwt.ca_file";
pub const SHARED_CACHE: &CStr = c"pg_session_jwt.shared_cache";
pub const OPTIMIZE_POLICIES: &CStr = c"pg_session_jwt.optimize_policies";
pub const CLIENT_KEYS: &CStr = c"pg_session_jwt.client_keys";
pub const OUTDATED: &CStr = c"pg_session_jwt.outdated";
pub const LOST_PROVIDERS: &CStr = c"pg_session_jwt.lost_providers";
pub const TOKEN_LIFETIME: &CStr = c"pg_session_jwt.token_lifetime";
pub const CLAIMS_LIFETIME: &CStr = c"pg_session_jwt.claims_lifetime";
#[cfg(any(feature = "pg18", feature = "pg19"))]
pub const LOGIN_IDENTITY: &CStr = c"pg_session_jwt.login_identity";
pub const REQUEST_CLAIMS: &CStr = c"request.jwt.claims";

/// A name for a message.
pub const fn text(name: &'static CStr) -> &'static str {
    match name.to_str() {
        Ok(text) => text,
        Err(_) => panic!("the names above are ASCII"),
    }
}
