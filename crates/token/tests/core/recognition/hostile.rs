//! Hostile URLs: rejected, or without influence on anything but their own parts of the entry.

use pg_session_jwt_token::provider;
use pg_session_jwt_token::recognition::address::MAX_BYTES;
use pg_session_jwt_token::recognition::{recognize, table};
use rstest::rstest;

use super::{recognized, url_problem};

const CHARACTER: &str = "has a character that the URLs of providers do not have";
const HOST: &str = "has no valid host name";
const SCHEME: &str = "does not begin with https://";
const PATH: &str = "has a path that the URLs of providers do not have";

#[rstest]
#[case::empty("", SCHEME)]
#[case::no_scheme("shop.auth0.com", SCHEME)]
#[case::look_alike_without_scheme("accounts.google.com.example.com", SCHEME)]
#[case::file("file:///etc/passwd", HOST)]
#[case::ftp("ftp://shop.auth0.com", SCHEME)]
#[case::http(
    "http://shop.auth0.com",
    "is http, which is accepted only for loopback addresses; use https"
)]
#[case::no_host("https://", HOST)]
#[case::no_host_but_path("https:///realms/a", HOST)]
#[case::one_label("https://auth0", HOST)]
#[case::dot_at_end("https://shop.auth0.com.", HOST)]
#[case::empty_label("https://shop..auth0.com", HOST)]
#[case::dot_at_start("https://.auth0.com", HOST)]
#[case::hyphen("https://-a.auth0.com", HOST)]
#[case::underscore("https://a_b.auth0.com", HOST)]
#[case::user("https://shop.auth0.com@evil.example", "has a user name or password in it")]
#[case::password("https://a:b@shop.auth0.com", "has a user name or password in it")]
#[case::port_0("https://shop.auth0.com:0", "has an invalid port")]
#[case::port_empty("https://shop.auth0.com:", "has an invalid port")]
#[case::port_too_large("https://shop.auth0.com:65536", "has an invalid port")]
#[case::port_with_zeros("https://shop.auth0.com:0443", "has an invalid port")]
#[case::port_with_sign("https://shop.auth0.com:+443", "has an invalid port")]
#[case::address("https://[2001:db8::1]/", HOST)]
#[case::fragment("https://shop.auth0.com/#", CHARACTER)]
#[case::escape("https://shop.auth0.com/%2e%2e", CHARACTER)]
#[case::escaped_host("https://shop%2eauth0.com", CHARACTER)]
#[case::quote("https://id.example.com/'", CHARACTER)]
#[case::double_quote("https://id.example.com/\"", CHARACTER)]
#[case::backslash("https://shop.auth0.com\\@evil.example", CHARACTER)]
#[case::placeholder("https://<tenant>.auth0.com", CHARACTER)]
#[case::space("https://shop.auth0.com /", CHARACTER)]
#[case::line("https://shop.auth0.com\n", CHARACTER)]
#[case::zero("https://shop.auth0.com\0", CHARACTER)]
#[case::idn("https://shöp.auth0.com", CHARACTER)]
#[case::full_width_dot("https://shop。auth0.com", CHARACTER)]
#[case::dollar("https://id.example.com/$$", CHARACTER)]
#[case::dots("https://id.example.com/a/../realms/b", PATH)]
#[case::dot("https://id.example.com/./realms/b", PATH)]
#[case::empty_part("https://id.example.com//realms/b", PATH)]
#[case::two_slashes("https://shop.auth0.com//", PATH)]
#[case::bracket("https://id.example.com/[a]", PATH)]
#[case::query("https://id.example.com/keys?a=b", "has a query (?), and its provider is not known")]
#[case::other_query(
    "https://shop.auth0.com/?a=b",
    "has a host of Auth0, but is not its issuer, key set or discovery document"
)]
#[case::other_path(
    "https://shop.auth0.com/authorize",
    "has a host of Auth0, but is not its issuer, key set or discovery document"
)]
fn is_rejected(#[case] url: &str, #[case] problem: &str) {
    assert_eq!(url_problem(url), problem);
}

#[test]
fn query_that_is_no_part_of_a_path_is_rejected() {
    let good = "https://shop.b2clogin.com/shop.onmicrosoft.com/v2.0?p=B2C_1_signin";
    assert!(recognize(good, "{}").is_ok());
    for more in ["/../../other/flow", "&x=y", "?x=y", ";x", ".."] {
        assert!(recognize(&format!("{good}{more}"), "{}").is_err(), "{more}");
    }
}

#[test]
fn hosts_that_only_resemble_a_provider_are_not_that_provider() {
    for url in [
        "https://shop.auth0.com.evil.example",
        "https://evilauth0.com",
        "https://auth0.com.evil.example/",
        "https://clerk-evil.example.com",
        "https://a.clerk.accounts.dev.evil.example",
        "https://securetoken.google.com.evil.example/shop",
        "https://api.stack-auth.com.evil.example/api/v1/projects/a",
        "https://cognito-idp.eu-west-1.amazonaws.com.evil.example/pool",
        "https://xn--shp-fka.auth0.com.xn--evil-.example-.example.com",
    ] {
        let name = recognize(url, "{}").map(|found| found[0].known.name);
        assert!(
            name.is_err() || name.as_ref().is_ok_and(|name| *name == "another provider"),
            "{url}: {name:?}"
        );
    }
}

#[test]
fn host_is_compared_without_case_and_path_with_it() {
    let (name, entries, _) = recognized("HTTPS://Shop.EU.Auth0.com/", r#"{"audience": "a"}"#);
    assert_eq!(name, "Auth0");
    assert!(entries[0].starts_with(r#"{"issuer": "https://shop.eu.auth0.com/","#));
    let (_, entries, _) = recognized("https://id.example.com/realms/Shop", r#"{"audience": "a"}"#);
    assert!(entries[0].starts_with(r#"{"issuer": "https://id.example.com/realms/Shop","#));
    assert_eq!(
        recognized("https://id.example.com/Realms/shop", "{}").0,
        "another provider"
    );
}

#[test]
fn length_is_limited() {
    let url = |bytes: usize| {
        let start = "https://id.example.com/";
        format!("{start}{}", "a".repeat(bytes - start.len()))
    };
    assert_eq!(recognized(&url(MAX_BYTES), "{}").0, "another provider");
    assert_eq!(url_problem(&url(MAX_BYTES + 1)), "has 2049 bytes; the limit is 2048");
    let realm = |bytes: usize| {
        let around = "https://id.example.com/realms//protocol/openid-connect/certs";
        format!("https://id.example.com/realms/{}", "a".repeat(bytes - around.len()))
    };
    assert_eq!(recognized(&realm(512), "{}").0, "Keycloak");
    assert_eq!(url_problem(&realm(513)), "gives a \"jwks_url\" of more than 512 bytes");
}

/// Each URL of the table with each character changed, added or removed: an error, or an entry that the setting accepts.
#[test]
fn mutations_give_an_error_or_a_usable_entry() {
    const OTHER: [&str; 12] = ["", "'", "\"", "\\", "/", "//", ".", "@", ":", "?", "<a>", "é"];
    for url in table::providers()
        .flat_map(|known| known.forms)
        .flat_map(|form| form.urls)
    {
        let url = url
            .replace("<address>", "https://id.example.com")
            .replace(['<', '>'], "")
            .replace('_', "-");
        for at in 0..url.len() {
            for other in OTHER {
                let mutated = format!("{}{other}{}", &url[..at], &url[at + 1..]);
                for found in recognize(&mutated, "{}").into_iter().flatten() {
                    let is_complete = found.to_fill_in.is_empty();
                    let result = provider::parse_public(&format!("[{}]", found.entry));
                    assert_eq!(result.is_ok(), is_complete, "{mutated}: {result:?}");
                }
            }
        }
    }
}
