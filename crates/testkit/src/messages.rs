//! The message of each rejection, so that a change of its wording is one change here. A test names a rejection by its
//! SQLSTATE and by one of these.

// The token.
pub const TOO_LONG: &str = "JWT is too long";
pub const INVALID_ENCODING: &str = "invalid JWT encoding";
pub const HEADER_NOT_BASE64URL: &str = "JWT header is not base64url";
pub const SIGNATURE_NOT_BASE64URL: &str = "JWT signature is not base64url";
pub const HEADER_NOT_JSON: &str = "JWT header is not a usable JSON object";
pub const PAYLOAD_NOT_JSON: &str = "JWT payload is not a usable JSON object";
pub const HEADER_WITHOUT_ALG: &str = "JWT header must have a string \"alg\"";
pub const HEADER_WITHOUT_KID: &str = "JWT header must have a string \"kid\"";
pub const ALGORITHM_NOT_SUPPORTED: &str = "JWT signature algorithm is not supported";
pub const EXTENSION_NOT_SUPPORTED: &str = "JWT requires an extension that is not supported";
pub const INVALID_SIGNATURE: &str = "invalid JWT signature";
pub const NULL_TOKEN: &str = "\"jwt\" must not be null";
pub const NULL_IS_LOCAL: &str = "\"is_local\" must not be null";
pub const OUTSIDE_BLOCK: &str = "a token for the transaction can only be used in transaction blocks";
pub const NOT_ENCODABLE: &str = "JWT has a character without an equivalent in the database encoding";

// Its claims.
pub const EXPIRED: &str = "Token used after it has expired";
pub const NOT_YET_VALID: &str = "Token used before it is ready";
pub const EXP_NOT_A_DATE: &str = "'exp' (Expiration) must be an integer representing seconds since unix epoch";
pub const NBF_NOT_A_DATE: &str = "'nbf' (Not Before) must be an integer representing seconds since unix epoch";
pub const IAT_NOT_A_DATE: &str = "'iat' (Issued At) must be an integer representing seconds since unix epoch";
pub const NO_TOKEN_ID: &str = "JWT payload must contain a valid 'jti' (JWT ID)";
pub const TOKEN_ID_REPLAYED: &str = "Token ID must be strictly monotonically increasing.";
pub const SUB_NOT_A_STRING: &str = "'sub' (Subject) must be a string";
pub const UNKNOWN_ISSUER: &str = "JWT issuer is not trusted";
pub const OTHER_AUDIENCE: &str = "JWT is intended for another audience";
pub const AUDIENCE_NOT_A_STRING: &str = "'aud' (Audience) must be a string or an array of strings";
pub const SEVERAL_PROVIDERS: &str = "JWT fits more than one provider";
pub const OTHER_CLAIM: &str = "JWT does not have a claim that its provider requires";
pub const NOT_ACCESS_TOKEN: &str = "JWT is not an access token";
pub const OTHER_TYPE: &str = "JWT is of another type than its provider accepts";
pub const SECURITY_EVENT: &str = "JWT reports a security event";
pub const SENDER_CONSTRAINED: &str = "JWT is bound to a key of its client";
pub const NO_EXPIRY: &str = "JWT does not expire";
pub const NO_ISSUE_TIME: &str = "JWT does not have the time at which it was issued";
pub const TOO_OLD: &str = "Token used after its maximum age";

// The key that it is verified with.
pub const NO_KEY_OF_TOKEN: &str = "no key matches the key ID of the JWT";
pub const NAMES_NO_KEY: &str = "JWT does not identify a key";
pub const ALGORITHM_MISMATCH: &str = "JWT signature algorithm does not match the key";
pub const KEYS_NOT_AVAILABLE: &str = "keys of the provider are not available";

// Keys and providers.
pub const NOT_A_KEY: &str = "text is not a JSON Web Key";
pub const KEY_NOT_USABLE: &str = "JSON Web Key cannot be used";
pub const KEY_FOR_SET: &str = "text is a single JSON Web Key, not a key set";
pub const SET_FOR_KEY: &str = "text is a key set, not a single JSON Web Key";
pub const DISCOVERY_FOR_KEY: &str = "text is a discovery document, not a single JSON Web Key";
pub const DISCOVERY_FOR_SET: &str = "text is a discovery document, not a key set";
pub const NO_USABLE_KEY: &str = "key set has no usable key";
pub const PROVIDERS_NOT_USABLE: &str = "invalid list of providers";
pub const JWKS_URL_NEEDS_PRELOAD: &str =
    "pg_session_jwt must be loaded via \"shared_preload_libraries\" to use \"jwks_url\"";
pub const DISCOVERY_NEEDS_PRELOAD: &str =
    "pg_session_jwt must be loaded via \"shared_preload_libraries\" to use \"discovery\"";

// The settings of a session.
pub const PROVIDERS_UNUSABLE: &str =
    "\"pg_session_jwt.providers\" is set but cannot be used: invalid list of providers";
pub const NO_TOKEN: &str = "no token was presented: call auth.jwt_session_init(token)";
pub const NO_KEY: &str = "cannot verify a JWT because \"pg_session_jwt.jwk\" is not set";
pub const JWK_NOT_APPLIED: &str = "\"pg_session_jwt.jwk\" is set but was not applied";
pub const PROVIDERS_NOT_APPLIED: &str = "\"pg_session_jwt.providers\" is set but was not applied";
pub const JWK_OF_SERVER: &str = "\"pg_session_jwt.jwk\" is set by the server";
pub const JWK_TWICE: &str = "\"pg_session_jwt.jwk\" is specified more than once";
pub const JWK_OF_CLIENT: &str = "connections are not allowed to set \"pg_session_jwt.jwk\"";
pub const TOKEN_AS_DEFAULT: &str = "\"pg_session_jwt.jwt\" can be set only within a session";
pub const ROLE: &str = "current role is not allowed to use tokens of this provider";
pub const OUTLASTS_TRANSACTION: &str = "identity must end with its transaction";
pub const OUTLASTS_REASON: &str =
    "the identity was set for the session, and pg_session_jwt.identity_scope is transaction";
pub const LOST_PROVIDERS: &str = "session has lost its identity providers";

// Logins with a token.
pub const NO_PROVIDERS: &str = "cannot verify a JWT because \"pg_session_jwt.providers\" is not set";
pub const NO_PROVIDER_OF_LOGIN: &str = "session authenticated with OAuth has no identity providers";
pub const NAMES_NO_USER: &str = "JWT does not identify a user";
pub const OTHER_USER: &str = "session is bound to the user who logged in";

/// [`NOT_A_KEY`], as an administrator sees it.
pub fn not_a_key(problem: &str) -> String {
    format!("{NOT_A_KEY} (The text was rejected: {problem})")
}

/// [`NO_USABLE_KEY`], as an administrator sees it.
pub fn no_usable_key(keys: &str) -> String {
    format!("{NO_USABLE_KEY} (The keys were rejected: {keys})")
}

/// A setting has a value that cannot be used, for the reason that one of the messages gives.
pub fn unusable(setting: &str, problem: &str) -> String {
    format!("\"pg_session_jwt.{setting}\" is set but cannot be used: {problem}")
}

/// What is stored for the database or role is not what the session began with.
pub fn stored_changed(setting: &str) -> String {
    format!("\"pg_session_jwt.{setting}\" differs from the value stored for this session")
}

/// What the server's log says of a login that is rejected; the client gets PostgreSQL's own message.
pub fn login_rejected(role: &str, reason: &str) -> String {
    format!("OAuth login as \"{role}\" was rejected: {reason}")
}
