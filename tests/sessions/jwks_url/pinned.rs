//! A server's own certificate in `ca_file`: accepted while it is valid, for its own names, and only from that file.

use std::fs;

use testkit::key_server::{Answer, KeyServer};
use testkit::key_server_tls::{Authority, SelfSigned, start_tls};
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::run;

use crate::support::jwks_faults::{NOT_FETCHED, condition, wait_until_good};
use crate::support::jwks_url::{conf, entry};

const NOW: (i32, i32) = (2000, 4000);

fn serve(certificate: &SelfSigned) -> KeyServer {
    let provider = Provider::new("a");
    start_tls(certificate.config.clone(), Answer::Body(provider.key_set()))
}

/// A server that fetches these, with a file of authorities.
fn server(keys: &[(&KeyServer, &str)], file: &str) -> Server {
    let entries: Vec<String> = keys
        .iter()
        .map(|(keys, host)| keys.url_at(host, "/keys"))
        .map(|url| entry(&url, &url))
        .collect();
    let server = Server::start(&conf(&entries, "pg_session_jwt.ca_file = '../ca.pem'"));
    fs::write(server.directory().join("ca.pem"), file).unwrap();
    run(
        &mut server.connect("template1", "postgres", ""),
        "select pg_reload_conf()",
    );
    server
}

/// The error of a URL after its certificate was rejected.
#[track_caller]
fn rejected(server: &Server, keys: &KeyServer, host: &str) -> String {
    let mut client = server.connect("template1", "postgres", "");
    let mut told = String::new();
    testkit::key_server::wait_until("the error", || {
        let (usable, error) = condition(&mut client, &keys.url_at(host, "/keys"));
        assert!(!usable);
        told = error;
        ![NOT_FETCHED, ""].contains(&told.as_str()) && !told.contains("No such file")
    });
    assert_eq!(keys.requests(), 0);
    told
}

#[test]
fn certificate_in_the_file_is_accepted_for_its_names_while_it_is_valid() {
    let (name, address) = ("localhost", "127.0.0.1");
    let good = [false, true].map(|is_authority| SelfSigned::new(address, is_authority, NOW));
    let expired = [false, true].map(|is_authority| SelfSigned::new(address, is_authority, (2000, 2020)));
    let early = [false, true].map(|is_authority| SelfSigned::new(address, is_authority, (3000, 4000)));
    let all: Vec<&SelfSigned> = good.iter().chain(&expired).chain(&early).collect();
    let served: Vec<KeyServer> = all.iter().map(|certificate| serve(certificate)).collect();
    // Files that were joined without a line break, after a byte order mark.
    let file: String = all.iter().map(|certificate| certificate.pem.trim_end()).collect();
    let mut keys: Vec<(&KeyServer, &str)> = served.iter().map(|keys| (keys, address)).collect();
    let (other_names, of_authority) = (serve(&good[0]), serve(&good[1]));
    keys.extend([(&other_names, name), (&of_authority, name)]);
    let server = server(&keys, &format!("\u{feff}{file}"));
    let mut client = server.connect("template1", "postgres", "");
    for keys in &served[..2] {
        wait_until_good(&mut client, &keys.url());
    }
    for keys in &served[2..] {
        rejected(&server, keys, address);
    }
    for keys in [&other_names, &of_authority] {
        let told = rejected(&server, keys, name);
        assert!(told.contains("not valid for name"), "{told}");
    }
}

#[test]
fn certificate_that_is_not_in_the_file_is_rejected_with_a_reason() {
    let address = "127.0.0.1";
    let pinned = SelfSigned::new(address, true, NOW);
    // The same names, but another key.
    let (namesake, authority) = (
        SelfSigned::new(address, false, NOW),
        SelfSigned::new(address, true, NOW),
    );
    let common_name = SelfSigned::by_common_name(address);
    let [of_namesake, of_authority, of_common_name] = [&namesake, &authority, &common_name].map(serve);
    let file = format!("{}{}", pinned.pem, common_name.pem);
    let keys = [&of_namesake, &of_authority, &of_common_name].map(|keys| (keys, address));
    let server = server(&keys, &file);
    for (keys, reason) in [
        (
            &of_authority,
            "it is that of an authority, which is accepted for a server only if",
        ),
        (
            &of_common_name,
            "it has no subject alternative name, and a name in CN alone does not count",
        ),
    ] {
        let told = rejected(&server, keys, address);
        let expected = format!("the server's certificate is rejected: {reason}");
        assert!(told.starts_with(&expected), "{told}");
    }
    rejected(&server, &of_namesake, address);
    let other = Authority::new("other");
    let unknown = start_tls(other.certify(address), Answer::Nothing);
    let server = self::server(&[(&unknown, address)], &file);
    assert_eq!(
        rejected(&server, &unknown, address),
        "the server's certificate is rejected: no trusted authority has issued it"
    );
}

/// The owner of the key of one server could otherwise stand in for every other one.
#[test]
fn certificate_of_a_server_vouches_for_no_other_host() {
    let address = "127.0.0.1";
    let leaf = Authority::of_server("localhost");
    let other = start_tls(leaf.certify(address), Answer::Nothing);
    for file in [leaf.pem.clone(), format!("{}{}", Authority::new("real").pem, leaf.pem)] {
        let server = server(&[(&other, address)], &file);
        assert_eq!(
            rejected(&server, &other, address),
            "the server's certificate is rejected: no trusted authority has issued it"
        );
    }
}
