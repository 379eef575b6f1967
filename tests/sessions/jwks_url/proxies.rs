//! The proxy of the server's environment, with the variables of curl.

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::server::Server;
use testkit::session::run;

use crate::support::environment::{WITHOUT_PROXIES, program};
use crate::support::jwks_faults::{NOT_FETCHED, condition};
use crate::support::jwks_url::{conf, entry};

/// A server with these environment variables, which fetches from these hosts.
fn server(variables: &str, hosts: &[&str]) -> Server {
    let entries: Vec<String> = hosts.iter().map(|host| entry(host, &url(host))).collect();
    let lines = format!("{WITHOUT_PROXIES}export {variables}");
    let server = Server::start_program(&conf(&entries, ""), |directory| program(directory, &lines));
    run(
        &mut server.connect("template1", "postgres", ""),
        "create extension pg_session_jwt",
    );
    server
}

fn url(host: &str) -> String {
    format!("https://{host}/keys")
}

/// The error of each host's URL, after its fetch has failed.
fn errors(server: &Server, hosts: &[&str]) -> Vec<String> {
    let mut client = server.connect("template1", "postgres", "");
    let mut of_host = |host: &&str| {
        let mut told = String::new();
        wait_until(host, || {
            told = condition(&mut client, host).1;
            ![NOT_FETCHED, ""].contains(&told.as_str())
        });
        told
    };
    hosts.iter().map(&mut of_host).collect()
}

/// The hosts that the proxy was asked for.
fn asked(proxy: &KeyServer) -> Vec<String> {
    let mut hosts = proxy.paths();
    hosts.sort();
    hosts.dedup();
    hosts
}

#[test]
fn proxy_is_used_except_for_the_hosts_in_no_proxy() {
    // None of these names exists (RFC 6761 §6.4), and none of these addresses is in use (RFC 5737).
    let hosts = [
        "key.invalid",
        "direct.invalid",
        "of.direct.invalid",
        "indirect.invalid",
        "sub.invalid",
        "of.sub.invalid",
        "of.star.invalid",
        "port.invalid:8443",
        "port.invalid:9443",
        "192.0.2.1:4",
        "198.51.100.7:4",
    ];
    let proxy = KeyServer::start(Answer::Status(502));
    let address = format!("127.0.0.1:{}", proxy.port());
    let exceptions = "'Direct.INVALID., .sub.invalid *.star.invalid,port.invalid:8443,198.51.100.0/24'";
    let variables =
        format!("HTTPS_PROXY=http://user:word@{address}/ ALL_PROXY=http://127.0.0.1:1 NO_PROXY={exceptions}");
    let server = server(&variables, &hosts);
    errors(&server, &hosts);
    let proxied = [
        "192.0.2.1:4",
        "indirect.invalid:443",
        "key.invalid:443",
        "port.invalid:9443",
    ];
    assert_eq!(asked(&proxy), proxied);
    let head = proxy.heads().remove(0).to_ascii_lowercase();
    assert!(head.starts_with("connect "), "{head}");
    assert!(head.contains("proxy-authorization: basic "), "{head}");
}

#[test]
fn variables_have_the_order_of_curl() {
    let hosts = ["key.invalid"];
    let proxy = KeyServer::start(Answer::Status(502));
    let ours = format!("http://127.0.0.1:{}", proxy.port());
    for (variables, requests) in [
        (format!("https_proxy={ours} HTTPS_PROXY=http://127.0.0.1:1"), true),
        (format!("https_proxy= HTTPS_PROXY={ours}"), false),
        (format!("ALL_PROXY={ours}"), true),
        (format!("all_proxy={ours} ALL_PROXY=http://127.0.0.1:1"), true),
        (format!("HTTP_PROXY={ours} http_proxy={ours}"), false),
        (format!("HTTPS_PROXY={ours} NO_PROXY='*'"), false),
        (format!("HTTPS_PROXY={ours} no_proxy= NO_PROXY='*'"), true),
        (format!("HTTPS_PROXY={}", ours.trim_start_matches("http://")), true),
    ] {
        let before = proxy.requests();
        errors(&server(&variables, &hosts), &hosts);
        assert_eq!(proxy.requests() > before, requests, "{variables}");
    }
}

#[test]
fn proxy_of_another_kind_is_named_without_its_password() {
    let hosts = ["key.invalid"];
    for (variables, error) in [
        (
            "HTTPS_PROXY=socks5h://user:secret@127.0.0.1:1",
            "HTTPS_PROXY names a SOCKS proxy, which is not supported; use http://",
        ),
        (
            "all_proxy=https://user:secret@127.0.0.1:1",
            "all_proxy names a proxy over https, which is not supported; use http://",
        ),
        ("ALL_PROXY=ftp://127.0.0.1", "ALL_PROXY does not begin with http://"),
        (
            "https_proxy=http://user:secret%40@127.0.0.1:1",
            "https_proxy has a percent sign in the user name or password, which is not supported",
        ),
        (
            "https_proxy='http://user:secret@'",
            "https_proxy is not the address of a proxy, such as http://host:port",
        ),
    ] {
        let server = server(variables, &hosts);
        assert_eq!(errors(&server, &hosts), [error]);
        assert!(!server.log().contains("secret"));
    }
}
