//! What must not come into a session's process with a dependency: another TLS, another HTTP client, a system library.

/// OpenSSL would meet the server's own in one process; the rest opens connections or wants the machine's libraries.
const UNWANTED: [&str; 10] = [
    "openssl",
    "openssl-sys",
    "native-tls",
    "reqwest",
    "hyper",
    "curl",
    "curl-sys",
    "h2",
    "isahc",
    "trust-dns-resolver",
];

#[test]
fn no_other_tls_or_http_library_is_linked_in() {
    let lock = std::fs::read_to_string(testkit::root().join("Cargo.lock")).unwrap();
    let names: Vec<&str> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .collect();
    for name in ["pg_session_jwt", "jsonwebtoken", "aws-lc-rs", "ureq"] {
        assert!(names.contains(&name), "{name}: the lock file is read");
    }
    for name in UNWANTED {
        assert!(!names.contains(&name), "{name}");
    }
}
