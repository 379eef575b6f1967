//! Issuers that serve applications of many owners with the same keys. It is plain Rust, so that a test can try it.

/// The issuers whose `iss` is the same for all applications, or that sign for all tenants with the same keys. One that ends
/// with a slash stands for all that begin with it.
const SHARED: [&str; 12] = [
    "https://accounts.google.com",
    "accounts.google.com",
    // One key set for all projects of Firebase.
    "https://securetoken.google.com/",
    // All applications of a tenant of Entra ID, also those of other owners, and its clouds for governments and China.
    "https://login.microsoftonline.com/",
    "https://login.microsoftonline.us/",
    "https://login.partner.microsoftonline.cn/",
    "https://sts.windows.net/",
    "https://sts.chinacloudapi.cn/",
    "https://appleid.apple.com",
    // The jobs of every repository.
    "https://token.actions.githubusercontent.com",
    "https://gitlab.com",
    "https://www.facebook.com",
];

/// Whether the keys of an issuer sign for applications of other owners.
pub fn is_shared(issuer: &str) -> bool {
    SHARED.iter().any(|shared| match shared.strip_suffix('/') {
        Some(_) => issuer.starts_with(shared),
        None => issuer == *shared,
    })
}
