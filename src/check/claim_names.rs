//! The names of claims that their user can write.

/// The names of such claims and columns: Supabase and Auth0, Clerk, Stytch, Stack Auth. The siblings `app_metadata`,
/// `public_metadata`, `trusted_metadata` and `client_read_only_metadata` can be written only by the deployment.
const NAMES: &[&str] = &[
    "user_metadata",
    "userMetadata",
    "raw_user_meta_data",
    "unsafe_metadata",
    "unsafeMetadata",
    "untrusted_metadata",
    "untrustedMetadata",
    "client_metadata",
    "clientMetadata",
];

/// Auth0 accepts many claims only with a URL before the name.
pub fn is_name(name: &[u8]) -> bool {
    let name = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
    NAMES.iter().any(|known| known.as_bytes() == name)
}

/// The words of a path or an object.
pub fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
}
