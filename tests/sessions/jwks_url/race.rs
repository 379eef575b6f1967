//! A host with an IPv6 address that does not answer, beside an IPv4 address that does (RFC 8305).

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use testkit::key_server::Answer;
use testkit::key_server_tls::{Authority, start_tls};
use testkit::provider::Provider;
use testkit::server::{Server, program_at, unprivileged_user};
use testkit::session::{init, run, user_id};

use crate::support::environment::{WITHOUT_PROXIES, program};
use crate::support::jwks_url::{conf, entry};

const HOST: &str = "both.invalid";
/// Mounts that only the server sees, without the rights of root.
const PRIVATE_MOUNTS: [&str; 4] = ["--user", "--map-current-user", "--keep-caps", "--mount"];

/// A port of `[::1]` that does not answer: its queue of connections is full.
struct Silent {
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Silent {
    /// None without IPv6.
    fn at(port: u16) -> Option<Silent> {
        let listener = TcpListener::bind(("::1", port)).ok()?;
        // SAFETY: listen(2) gets a socket that is open, and sets the length of its queue.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let address = listener.local_addr().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(500)).ok();
        let waiting: Vec<TcpStream> = std::iter::from_fn(connect).take(10).collect();
        assert!(waiting.len() < 10);
        Some(Silent {
            _listener: listener,
            _waiting: waiting,
        })
    }
}

/// Whether the kernel lets an ordinary user have such mounts.
fn has_private_mounts() -> bool {
    let mut command = program_at(Path::new("unshare"), unprivileged_user());
    command
        .args(PRIVATE_MOUNTS)
        .args(["mount", "--bind", "/etc/hosts", "/etc/hosts"]);
    command
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn address_that_answers_is_used_beside_one_that_does_not() {
    let (authority, provider) = (Authority::new("authority"), Provider::new("a"));
    let keys = start_tls(authority.certify(HOST), Answer::Body(provider.key_set()));
    let silent = Silent::at(keys.port());
    if silent.is_none() || !has_private_mounts() {
        return;
    }
    let conf = conf(
        &[entry("a", &keys.url_at(HOST, "/keys"))],
        "pg_session_jwt.ca_file = '../ca.pem'",
    );
    let server = Server::start_program(&conf, |directory| {
        fs::write(directory.join("ca.pem"), &authority.pem).unwrap();
        // The address of IPv6 is the first in each order (RFC 6724 §2.1).
        let hosts = format!("127.0.0.1 localhost\n::1 {HOST}\n127.0.0.1 {HOST}\n");
        fs::write(directory.join("hosts"), hosts).unwrap();
        let lines = format!(
            "[ -n \"$PRIVATE\" ] || PRIVATE=1 exec unshare {} \"$0\" \"$@\"\n\
             mount --bind '{}' /etc/hosts\n{WITHOUT_PROXIES}",
            PRIVATE_MOUNTS.join(" "),
            directory.join("hosts").display()
        );
        program(directory, &lines)
    });
    let mut client = server.connect("template1", "postgres", "");
    run(&mut client, "create extension pg_session_jwt");
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(keys.requests(), 1);
}
