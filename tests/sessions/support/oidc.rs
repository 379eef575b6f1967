//! A real OpenID provider: the npm package oidc-provider, see tests/fixtures/oidc.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;

pub const ALGORITHMS: [&str; 4] = ["RS256", "ES256", "EdDSA", "PS256"];

/// The provider's process and its output.
pub struct Peer {
    child: Child,
    commands: Option<ChildStdin>,
    events: BufReader<std::process::ChildStdout>,
    pub issuer: String,
    pub jwks_uri: String,
}

impl Peer {
    pub fn start() -> Peer {
        Peer::start_with_issuer("")
    }

    /// A provider whose issuer has this after its port.
    pub fn start_with_issuer(end: &str) -> Peer {
        let directory = std::env::var("PG_SESSION_JWT_OIDC")
            .expect("PG_SESSION_JWT_OIDC: where the provider is laid out (scripts/node.sh); `make test` sets it");
        let mut child = Command::new("node")
            .arg(format!("{directory}/provider.mjs"))
            .arg(end)
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

    pub fn rotate(&mut self) {
        self.commands.as_mut().unwrap().write_all(b"rotate\n").unwrap();
        assert_eq!(event(&mut self.events)["rotated"], true);
    }

    /// Approves a login by the device flow, as its user does in a browser.
    pub fn approve(&mut self, user_code: &str, account: &str) {
        writeln!(self.commands.as_mut().unwrap(), "approve {user_code} {account}").unwrap();
        assert_eq!(event(&mut self.events)["approved"], true);
    }

    /// The access token and the ID token that the provider issues for an account.
    pub fn tokens(&self, alg: &str, account: &str) -> [String; 2] {
        let answer = self.login(alg, account);
        ["access_token", "id_token"].map(|name| answer[name].as_str().unwrap().to_owned())
    }

    /// All that the provider signs for an account: `access_token`, `id_token`, `logout_token`, and as `response` an
    /// authorization response.
    pub fn login(&self, alg: &str, account: &str) -> Value {
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
        serde_json::from_str(body).unwrap()
    }

    /// Its entry in the setting, with the URL of its keys: access tokens are for the API, ID tokens for the application.
    pub fn entry_with_url(&self, alg: &str) -> String {
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
