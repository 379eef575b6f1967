//! A real OpenID provider (the npm package oidc-provider, see tests/fixtures/oidc) whose key set the worker fetches.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;
use testkit::messages;
use testkit::session::{init, one, rejects, user_id};

use crate::support::jwks_url::server_with;

/// The provider's process and its output.
struct Peer {
    child: Child,
    commands: Option<ChildStdin>,
    events: BufReader<std::process::ChildStdout>,
    issuer: String,
    jwks_uri: String,
}

impl Peer {
    fn start() -> Peer {
        let directory = std::env::var("PG_SESSION_JWT_OIDC")
            .expect("PG_SESSION_JWT_OIDC: where the provider is laid out (scripts/node.sh); `make test` sets it");
        let mut child = Command::new("node")
            .arg(format!("{directory}/provider.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take();
        let mut events = BufReader::new(child.stdout.take().unwrap());
        let ready = event(&mut events);
        Peer {
            child,
            commands,
            events,
            issuer: ready["issuer"].as_str().unwrap().to_owned(),
            jwks_uri: ready["jwks_uri"].as_str().unwrap().to_owned(),
        }
    }

    fn rotate(&mut self) {
        self.commands.as_mut().unwrap().write_all(b"rotate\n").unwrap();
        assert_eq!(event(&mut self.events)["rotated"], true);
    }

    /// The access token and the ID token that the provider issues for an account.
    fn tokens(&self, alg: &str, account: &str) -> [String; 2] {
        let address = self.issuer.strip_prefix("http://").unwrap();
        let body = format!("grant_type=urn:test:login&client_id=app-{alg}&account={account}&resource=urn:api:{alg}");
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "POST /token HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
        let answer: Value = serde_json::from_str(body).unwrap();
        ["access_token", "id_token"].map(|name| answer[name].as_str().unwrap().to_owned())
    }

    /// Its entry in the setting: access tokens are for the API, ID tokens for the application.
    fn entry(&self, alg: &str) -> String {
        format!(
            r#"{{"issuer":"{}","audience":["urn:api:{alg}","app-{alg}"],"algorithms":"{alg}","jwks_url":"{}"}}"#,
            self.issuer, self.jwks_uri
        )
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.commands.take());
        let _ = self.child.wait();
    }
}

fn event(events: &mut impl BufRead) -> Value {
    let mut line = String::new();
    events.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("the provider said {line:?}: {error}"))
}

const ALGORITHMS: [&str; 4] = ["RS256", "ES256", "EdDSA", "PS256"];

#[test]
fn tokens_of_a_real_provider_are_accepted_across_a_rotation() {
    let mut peer = Peer::start();
    let entries = ALGORITHMS.map(|alg| peer.entry(alg));
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    let mut before = Vec::new();
    for alg in ALGORITHMS {
        for token in peer.tokens(alg, "alice") {
            init(&mut client, &token);
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{alg}");
            assert_eq!(
                one::<String>(&mut client, "select issuer from auth.status()"),
                peer.issuer
            );
            before.push(token);
        }
    }
    peer.rotate();
    for alg in ALGORITHMS {
        for token in peer.tokens(alg, "bob") {
            init(&mut client, &token);
            assert_eq!(user_id(&mut client).as_deref(), Some("bob"), "{alg}");
        }
    }
    for token in before {
        let retired = format!("select auth.jwt_session_init('{token}')");
        rejects(&mut client, &retired, "28000", messages::NO_KEY_OF_TOKEN);
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    }
    let kids = "select count(*)::text || ' ' || count(distinct kid) || ' ' || bool_and(usable) from auth.providers()";
    assert_eq!(one::<String>(&mut client, kids), "16 4 true");
}
