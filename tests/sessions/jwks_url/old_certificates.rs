//! Certificates of kinds that are no longer accepted, and the message for each.

use std::fs;

use testkit::certificate::{by_sha1, of_version_1};
use testkit::key_server::{Answer, wait_until};
use testkit::key_server_tls::{Authority, start_tls};
use testkit::server::{Server, pg_config};
use testkit::session::run;

use crate::support::jwks_faults::{NOT_FETCHED, condition};
use crate::support::jwks_url::{conf, entry};

#[test]
fn old_kinds_are_rejected_with_a_reason() {
    let authority = Authority::with_rsa_key("authority");
    let address = "127.0.0.1";
    let start = |change| start_tls(authority.certify_changed(address, change), Answer::Nothing);
    let cases = [
        (
            start(of_version_1),
            "it is of X.509 version 1 or 2, and only 3 is supported",
        ),
        (
            start(by_sha1),
            "it or its authority is signed with an algorithm that is not supported, such as SHA-1",
        ),
    ];
    let entries = cases.each_ref().map(|(keys, _)| entry(&keys.url(), &keys.url()));
    let conf = conf(&entries, "pg_session_jwt.ca_file = '../ca.pem'");
    let server = Server::start_program(&conf, |directory| {
        fs::write(directory.join("ca.pem"), &authority.pem).unwrap();
        pg_config("--bindir").join("postgres")
    });
    let mut client = server.connect("template1", "postgres", "");
    run(&mut client, "create extension pg_session_jwt");
    for (keys, reason) in &cases {
        let mut told = String::new();
        wait_until("the error", || {
            told = condition(&mut client, &keys.url()).1;
            ![NOT_FETCHED, ""].contains(&told.as_str())
        });
        assert_eq!(told, format!("the server's certificate is rejected: {reason}"));
        assert_eq!(keys.requests(), 0);
    }
}
