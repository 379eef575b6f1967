//! The addresses from which a key set may be fetched.

use pg_session_jwt_token::Error;
use pg_session_jwt_token::key_url::check;
use pg_session_jwt_token::provider::{KeySource, parse};
use rstest::rstest;

#[rstest]
fn https_is_accepted_and_http_on_loopback_only(
    #[values(
        "https://example.clerk.accounts.dev/.well-known/jwks.json",
        "https://example.com:8443/keys?p=b2c_1_sign_in",
        "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
        "https://192.0.2.1/keys",
        "HTTPS://example.com/keys",
        "http://127.0.0.1/keys",
        "http://127.8.9.1:3000/keys",
        "http://[::1]:3000/keys",
        "http://localhost:3000/keys",
        "http://LOCALHOST/keys"
    )]
    url: &str,
) {
    assert_eq!(check(url), Ok(()), "{url}");
}

#[rstest]
fn http_to_another_host_is_rejected(
    #[values(
        "http://example.com/keys",
        "http://localhost.example.com/keys",
        "http://127.0.0.1.example.com/keys",
        "http://128.0.0.1/keys",
        "http://0.0.0.0/keys",
        "http://10.0.0.1/keys",
        "http://[::2]/keys",
        "http://[::ffff:10.0.0.1]/keys",
        "http://169.254.169.254/latest/meta-data"
    )]
    url: &str,
) {
    let http = Err("is http, which is accepted only for loopback addresses; use https");
    assert_eq!(check(url), http, "{url}");
}

#[rstest]
#[case("", "is not a URL")]
#[case("keys.json", "is not an absolute URL")]
#[case("/etc/passwd", "is not an absolute URL")]
#[case("example.com:443", "is not an absolute URL")]
#[case("https://", "is not a URL")]
#[case("https:///keys", "is not a URL")]
#[case("https://exa mple.com/keys", "is not a URL")]
#[case("https://example.com/keys\r\nHost: evil", "is not a URL")]
#[case("file:///etc/passwd", "is not a URL")]
#[case("ftp://example.com/keys", "is neither https nor http")]
#[case("gopher://127.0.0.1/keys", "is neither https nor http")]
#[case("https://user:secret@example.com/keys", "has a user name or password in it")]
#[case("http://127.0.0.1@example.com/keys", "has a user name or password in it")]
#[case("https://example.com/keys#a", "has a fragment (#)")]
fn anything_but_a_plain_absolute_url_is_rejected(#[case] url: &str, #[case] problem: &str) {
    assert_eq!(check(url), Err(problem), "{url}");
}

#[test]
fn a_url_of_512_bytes_is_read_and_a_byte_more_is_not() {
    let url = |bytes: usize| {
        let start = "https://example.com/";
        format!("{start}{}", "k".repeat(bytes - start.len()))
    };
    assert_eq!(check(&url(512)), Ok(()));
    assert_eq!(check(&url(513)), Err("is longer than 512 bytes"));
}

#[test]
fn a_provider_reads_its_url() {
    let one = |url: &str| parse(&format!(r#"[{{"issuer":"a","jwks_url":{url}}}]"#));
    let list = one(r#""https://example.com/keys""#).unwrap();
    assert!(matches!(&list[0].source, KeySource::Url(url) if url == "https://example.com/keys"));
}

#[rstest]
#[case("7", "has an invalid \"jwks_url\": a non-empty string is required")]
#[case("\"\"", "has an invalid \"jwks_url\": a non-empty string is required")]
#[case(
    "\"http://example.com\"",
    "has an invalid \"jwks_url\": it is http, which is accepted only for loopback addresses; use https"
)]
fn a_provider_reports_what_is_wrong_with_its_url(#[case] url: &str, #[case] problem: &str) {
    let one = |url: &str| parse(&format!(r#"[{{"issuer":"a","jwks_url":{url}}}]"#));
    let expected = Error::Providers {
        index: Some(0),
        problem: problem.to_owned(),
    };
    assert_eq!(one(url).err(), Some(expected), "{url}");
}
