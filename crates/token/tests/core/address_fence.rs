//! The fence for the addresses that an issuer's document names.

use std::net::IpAddr;

use pg_session_jwt_token::address_fence::AddressFence;
use rstest::rstest;

const INSIDE: Result<(), &str> = Err("has a loopback or link-local address, and its issuer has not");
const NO_HOST: Result<(), &str> = Err("has a host that is neither a name nor an IP address");

fn public() -> AddressFence {
    AddressFence::of_issuer("https://issuer.example/realm")
}

#[rstest]
fn a_public_issuer_names_public_and_private_hosts(
    #[values(
        "https://keys.example/keys",
        "https://10.0.0.1/keys",
        "https://192.168.1.1:8443/keys",
        "https://169.253.255.255/keys",
        "https://169.255.0.0/keys",
        "https://128.0.0.0/keys",
        "https://1.0.0.0/keys",
        "https://[2001:db8::1]/keys",
        "https://[fe7f::1]/keys",
        "https://[fec0::1]/keys",
        "https://[::ffff:10.0.0.1]/keys",
        "https://[64:ff9b::10.0.0.1]/keys",
        "https://localhost.example/keys",
        "https://1.2.3.4.example/keys"
    )]
    url: &str,
) {
    assert_eq!(public().check(url), Ok(()), "{url}");
}

#[rstest]
fn a_public_issuer_names_nothing_of_this_machine_or_link(
    #[values(
        "https://127.0.0.1/keys",
        "https://127.255.255.255/keys",
        "http://127.0.0.1/keys",
        "https://0.0.0.0/keys",
        "https://0.255.0.1/keys",
        "https://localhost/keys",
        "https://LOCALHOST./keys",
        "https://a.localhost/keys",
        "https://[::1]/keys",
        "https://[::]:8443/keys",
        "https://[0:0:0:0:0:0:0:1]/keys",
        "https://[::ffff:127.0.0.1]/keys",
        "https://[::ffff:7f00:1]/keys",
        "https://[64:ff9b::7f00:1]/keys",
        "https://169.254.0.0/keys",
        "https://169.254.169.254/latest/meta-data",
        "https://169.254.255.255/keys",
        "https://169.254.169.254./keys",
        "https://[fe80::1]/keys",
        "https://[febf:ffff::1]/keys",
        "https://[::ffff:169.254.169.254]/keys",
        "https://[64:ff9b::a9fe:a9fe]/keys"
    )]
    url: &str,
) {
    assert_eq!(public().check(url), INSIDE, "{url}");
}

/// The C library resolves these as IPv4 addresses.
#[rstest]
fn a_number_that_is_not_a_usual_address_is_rejected(
    #[values(
        "https://2130706433/keys",
        "https://127.1/keys",
        "https://0x7f000001/keys",
        "https://0x7f.0.0.0x1/keys",
        "https://0177.0.0.1/keys",
        "https://2852039166./keys"
    )]
    url: &str,
) {
    assert_eq!(public().check(url), NO_HOST, "{url}");
    assert_eq!(
        AddressFence::of_issuer("https://127.0.0.1").check(url),
        NO_HOST,
        "{url}"
    );
}

#[rstest]
#[case(
    "http://keys.example/",
    "is http, which is accepted only for loopback addresses; use https"
)]
#[case("file:///etc/passwd", "is not a URL")]
#[case("ftp://keys.example/", "is neither https nor http")]
#[case("https://a:b@keys.example/", "has a user name or password in it")]
fn what_a_jwks_url_must_not_be_is_rejected_here_too(#[case] url: &str, #[case] problem: &str) {
    for issuer in ["https://issuer.example", "http://127.0.0.1:8080"] {
        assert_eq!(AddressFence::of_issuer(issuer).check(url), Err(problem), "{url}");
    }
}

#[rstest]
fn a_loopback_issuer_names_loopback_and_no_link_local_address(
    #[values("http://127.0.0.1:8080", "http://localhost/a", "https://[::1]", "https://127.8.8.8")] issuer: &str,
) {
    let fence = AddressFence::of_issuer(issuer);
    for url in [
        "http://127.0.0.1:9/keys",
        "http://localhost/keys",
        "https://[::1]/keys",
        "https://keys.example/",
    ] {
        assert_eq!(fence.check(url), Ok(()), "{issuer} {url}");
    }
    for url in ["https://169.254.169.254/", "https://[fe80::1]/"] {
        assert_eq!(fence.check(url), INSIDE, "{issuer} {url}");
    }
}

#[test]
fn a_link_local_issuer_names_link_local_addresses() {
    for issuer in ["https://169.254.1.1", "https://[fe80::1]:8443/a"] {
        let fence = AddressFence::of_issuer(issuer);
        assert_eq!(fence.check("https://169.254.1.2/keys"), Ok(()));
        assert_eq!(fence.check("https://[fe80::2]/keys"), Ok(()));
        assert_eq!(fence.check("https://127.0.0.1/keys"), INSIDE);
    }
}

/// A name may resolve to any address, and to another one at each time.
#[rstest]
#[case("192.0.2.1", true)]
#[case("10.1.2.3", true)]
#[case("2001:db8::1", true)]
#[case("127.0.0.1", false)]
#[case("127.9.9.9", false)]
#[case("0.0.0.0", false)]
#[case("169.254.169.254", false)]
#[case("::1", false)]
#[case("::", false)]
#[case("fe80::1", false)]
#[case("::ffff:127.0.0.1", false)]
#[case("::ffff:169.254.169.254", false)]
#[case("64:ff9b::a9fe:a9fe", false)]
fn the_address_behind_a_name_is_checked(#[case] address: &str, #[case] is_allowed: bool) {
    let address: IpAddr = address.parse().unwrap();
    assert_eq!(public().allows(address), is_allowed, "{address}");
    // An issuer that is itself a name may lead anywhere, and gets no exception for that.
    assert_eq!(
        AddressFence::of_issuer("https://idp.internal").allows(address),
        is_allowed
    );
    assert!(AddressFence::OPEN.allows(address), "{address}");
}

#[test]
fn a_loopback_issuer_connects_to_loopback_and_not_to_the_link() {
    let fence = AddressFence::of_issuer("http://localhost:8080");
    for (address, is_allowed) in [
        ("127.0.0.1", true),
        ("::1", true),
        ("192.0.2.1", true),
        ("169.254.1.1", false),
    ] {
        assert_eq!(fence.allows(address.parse().unwrap()), is_allowed, "{address}");
    }
}
