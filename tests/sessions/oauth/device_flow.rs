//! psql logs in by the device flow (RFC 8628) with a real provider, by the lines of docs/oauth.md.
//!
//! libpq has the flow in a module, which is a separate package. Nothing is tested where PostgreSQL's libraries lack it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use testkit::guide::page;
use testkit::server::{Server, major, pg_config, program};
use testkit::session::run;

use crate::support::oidc::Peer;

const BEFORE_THE_LINES: &str = "local all all trust\nhost all postgres 127.0.0.1/32 trust\n";

/// The names of the documentation, and those of the provider here.
fn names_here(peer: &Peer) -> [(&str, String); 4] {
    [
        ("https://example.com/.well-known/jwks.json", peer.jwks_uri.clone()),
        ("https://db.example.com", "urn:api:ES256".to_owned()),
        ("https://example.com", peer.issuer.clone()),
        ("hostssl", "host".to_owned()),
    ]
}

/// The block of docs/oauth.md that contains these words, for this provider.
fn block(peer: &Peer, words: &str) -> String {
    let found = page("oauth")
        .into_iter()
        .find(|block| block.text.contains(words))
        .unwrap();
    let replace = |text: String, (there, here): (&str, String)| text.replace(there, &here);
    names_here(peer).into_iter().fold(found.text, replace)
}

/// A server with the page's settings, and the first of its lines for pg_hba.conf.
fn server(peer: &Peer) -> Server {
    let hba = block(peer, "delegate_ident_mapping");
    let first = hba.lines().find(|line| !line.starts_with('#')).unwrap();
    let server = Server::start_program(&block(peer, "oauth_validator_libraries"), |directory| {
        let file = directory.join("data/pg_hba.conf");
        fs::write(file, format!("{BEFORE_THE_LINES}{first}\n")).unwrap();
        pg_config("--bindir").join("postgres")
    });
    run(&mut server.connect("postgres", "postgres", ""), "create database app");
    run(
        &mut server.connect("app", "postgres", ""),
        "create extension pg_session_jwt; alter role authenticated login",
    );
    server
}

/// Whether libpq has its module here. PostgreSQL 18 permits http only together with a trace of the whole exchange, tokens
/// included.
fn has_device_flow() -> bool {
    major() >= 19 && pg_config("--libdir").join("libpq-oauth.so").exists()
}

/// The page's psql, which shows who is logged in.
fn psql(peer: &Peer, server: &Server) -> Child {
    let page = block(peer, "$ psql");
    let conninfo = page.split('\'').nth(1).unwrap();
    let here = format!("host=127.0.0.1 port={}", server.port());
    let mut psql = program("psql", None);
    psql.args(["-XAtq", "-c", "select auth.user_id(), system_user", "-d"])
        .arg(conninfo.replace("host=db.example.com", &here))
        .env("PGOAUTHDEBUG", "UNSAFE:http")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    psql.spawn().unwrap()
}

fn output(psql: Child) -> (Option<i32>, String, String) {
    let output = psql.wait_with_output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code(), out, err)
}

#[test]
fn psql_logs_in_by_the_device_flow() {
    if !has_device_flow() {
        return;
    }
    let mut peer = Peer::start();
    let server = server(&peer);
    let mut psql = psql(&peer, &server);
    let mut errors = BufReader::new(psql.stderr.take().unwrap());
    let mut line = String::new();
    errors.read_line(&mut line).unwrap();
    let before = format!("Visit {}/device and enter the code: ", peer.issuer);
    let code = line
        .strip_prefix(&before)
        .unwrap_or_else(|| panic!("{line}"))
        .trim_end();
    peer.approve(code, "alice");
    let (status, out, _) = output(psql);
    print!("{line}{out}");
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    assert_eq!(
        (status, out.as_str(), rest.as_str()),
        (Some(0), "alice|oauth:alice\n", "")
    );
}

#[test]
fn issuer_that_ends_with_a_slash_has_two_in_the_address_of_its_document() {
    if !has_device_flow() {
        return;
    }
    let peer = Peer::start_with_issuer("/");
    let server = server(&peer);
    let psql = psql(&peer, &server);
    let (status, out, err) = output(psql);
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(
        err.contains("could not fetch OpenID discovery document: unexpected response code 404"),
        "{err}"
    );
}
