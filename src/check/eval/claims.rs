//! The claims of an ordinary user: one whom the owner of the database has granted nothing. Plain data.
//!
//! The token has the claims that every token of the deployment has, and those that name its user. Of other claims it has
//! none: `is_admin`, a list of permissions and the like are grants.

use crate::check::eval::known::Known;

/// Claims with a value that no constant of a policy equals, because each user or organization has a different one.
const PERSONAL: &[&str] = &[
    "sub",
    "email",
    "phone",
    "phone_number",
    "name",
    "given_name",
    "family_name",
    "nickname",
    "preferred_username",
    "username",
    "user_name",
    "user_id",
    "uid",
    "oid",
    "sid",
    "session_id",
    "jti",
    "org_id",
    "organization_id",
    "tenant_id",
    "tid",
];

/// Claims that have the same value in all tokens, or that each user can obtain: whatever a policy compares them with, they
/// can equal it.
const COMMON: &[&str] = &[
    "aud",
    "iss",
    "azp",
    "client_id",
    "cid",
    "appid",
    "typ",
    "token_use",
    "ver",
    "aal",
    "acr",
    "amr",
    "email_verified",
    "phone_verified",
    "phone_number_verified",
    "is_anonymous",
];

/// Claims with a time.
const TIMES: &[&str] = &["exp", "iat", "nbf", "auth_time"];

/// Objects of which every token has one.
const OBJECTS: &[&str] = &["app_metadata", "o"];

/// The claim at a path.
pub fn at(path: &[Vec<u8>]) -> Known {
    let names: Vec<&str> = path
        .iter()
        .map(|name| std::str::from_utf8(name).unwrap_or_default())
        .collect();
    match names[..] {
        [] => Known::Claims(Vec::new()),
        ["role"] => Known::Role,
        [name] if PERSONAL.contains(&name) => Known::Personal,
        [name] if COMMON.contains(&name) => Known::Common,
        [name] if TIMES.contains(&name) => Known::Vague,
        [name] if OBJECTS.contains(&name) => Known::Claims(path.to_vec()),
        ["aud" | "amr", _] | ["app_metadata", "provider" | "providers"] => Known::Common,
        ["o", "id" | "slg"] => Known::Personal,
        _ => Known::Null,
    }
}

/// Whether the claims at a path contain a JSON value, as `@>` does; None where some users' do and others' do not.
pub fn contain(path: &[Vec<u8>], value: &serde_json::Value, role: &[u8]) -> Option<bool> {
    use serde_json::Value;
    match (at(path), value) {
        (Known::Claims(_), Value::Object(members)) => {
            let mut all = Some(true);
            for (name, value) in members {
                let inner: Vec<Vec<u8>> = path.iter().cloned().chain([name.clone().into_bytes()]).collect();
                match contain(&inner, value, role) {
                    Some(false) => return Some(false),
                    None => all = None,
                    Some(true) => {}
                }
            }
            all
        }
        (Known::Common, _) => Some(true),
        (Known::Role, Value::String(name)) => Some(is_role(name.as_bytes(), role)),
        (Known::Vague, _) => None,
        _ => Some(false),
    }
}

/// Whether the claim `role` of an ordinary user has this value: `authenticated`, or the name of the end user's role.
pub fn is_role(value: &[u8], role: &[u8]) -> bool {
    value.eq_ignore_ascii_case(b"authenticated") || value.eq_ignore_ascii_case(role)
}
