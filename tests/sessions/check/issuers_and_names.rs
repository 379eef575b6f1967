//! The parts of auth.check() that are plain Rust: the nearest name, and the issuers that others share.

#[path = "../../../src/check/nearest.rs"]
mod nearest;
#[path = "../../../src/check/shared_issuers.rs"]
mod shared_issuers;

use nearest::nearest;
use shared_issuers::is_shared;

#[test]
fn the_nearest_name_differs_in_at_most_three_bytes_and_half_of_its_length() {
    let names = ["authenticated", "anonymous", "app", "staff", "ab"];
    for (wanted, expected) in [
        ("authenticated", Some("authenticated")),
        ("authenticate", Some("authenticated")),
        ("autenticatted", Some("authenticated")),
        ("authenticat", Some("authenticated")),
        ("authentic", None),
        ("uthenticaded", Some("authenticated")),
        ("Auhtenticated", Some("authenticated")),
        ("Auhtntikated", None),
        ("anonimous", Some("anonymous")),
        ("anon", None),
        ("stuff", Some("staff")),
        ("staf", Some("staff")),
        ("stxxf", Some("staff")),
        ("xxxff", None),
        ("apps", Some("app")),
        ("axx", None),
        ("b", Some("ab")),
        ("", None),
    ] {
        let found = nearest(wanted.as_bytes(), names.iter().map(|name| name.as_bytes()));
        assert_eq!(found, expected.map(str::as_bytes), "{wanted}");
    }
}

#[test]
fn of_two_equally_near_names_the_first_in_order_is_meant() {
    for names in [["staff_b", "staff_a"], ["staff_a", "staff_b"]] {
        let found = nearest(b"staff_c", names.iter().map(|name| name.as_bytes()));
        assert_eq!(found, Some(&b"staff_a"[..]));
    }
    let long = "x".repeat(200_000);
    assert_eq!(nearest(long.as_bytes(), std::iter::once(&b"app"[..])), None);
}

#[test]
fn shared_issuers_are_compared_as_iss_is() {
    for issuer in [
        "https://accounts.google.com",
        "accounts.google.com",
        "https://securetoken.google.com/my-project",
        "https://login.microsoftonline.com/8c8b8a/v2.0",
        "https://sts.windows.net/8c8b8a/",
        "https://appleid.apple.com",
        "https://token.actions.githubusercontent.com",
    ] {
        assert!(is_shared(issuer), "{issuer}");
    }
    for issuer in [
        "https://accounts.google.com/",
        "https://accounts.google.com.example",
        "http://accounts.google.com",
        "https://login.microsoftonline.com.example/a/v2.0",
        "https://contoso.b2clogin.com/8c8b8a/v2.0/",
        "https://example.clerk.accounts.dev",
        "https://tenant.auth0.com/",
        "https://gitlab.example",
        "",
    ] {
        assert!(!is_shared(issuer), "{issuer}");
    }
}
