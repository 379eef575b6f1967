//! A gateway process, and a client of it.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::children::{forget, killed_with_this_process};
use testkit::ports::free_port;
use testkit::server::Server;

/// Killed when it is dropped, or with this process.
pub struct Gateway {
    child: Child,
    pub port: u16,
    database: String,
}

impl Gateway {
    /// Starts a gateway for this database, with further options.
    pub fn start(server: &Server, database: &str, options: &[&str]) -> Gateway {
        Gateway::start_at(&format!("127.0.0.1:{}", server.port()), database, options)
    }

    /// The same, with these servers.
    pub fn start_at(servers: &str, database: &str, options: &[&str]) -> Gateway {
        Gateway::start_logging(servers, database, options, Stdio::inherit())
    }

    /// The same, with a place for the log.
    pub fn start_logging(servers: &str, database: &str, options: &[&str], log: Stdio) -> Gateway {
        let port = free_port();
        let child = Command::new(env!("CARGO_BIN_EXE_pg_session_jwt_gateway"))
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--postgres", servers])
            .args(["--database", database])
            .args(["--log-level", "error"])
            .args(options)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        killed_with_this_process(&child);
        let mut gateway = Gateway {
            child,
            port,
            database: database.to_owned(),
        };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert_eq!(gateway.child.try_wait().unwrap(), None, "the gateway has ended");
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "the gateway does not listen"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        gateway
    }

    /// Sends the process a signal.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end of the process, and returns its exit code.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// What a user with this token asks as `authenticated`.
    pub fn with(&self, token: &str) -> Client<'_> {
        self.client("authenticated", Some(token))
    }

    pub fn client(&self, role: &str, token: Option<&str>) -> Client<'_> {
        let address = format!("postgresql://{role}@db.example/{}", self.database);
        Client {
            gateway: self,
            address,
            token: token.map(str::to_owned),
            agent: ureq::Agent::config_builder().http_status_as_error(false).build().into(),
        }
    }

    /// The memory of the process.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/sql", self.port)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        forget(&self.child);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Requests of one person.
pub struct Client<'a> {
    gateway: &'a Gateway,
    address: String,
    token: Option<String>,
    /// Keeps its connections to the gateway.
    agent: ureq::Agent,
}

/// A status and the body.
pub type Response = (u16, Value);

impl Client<'_> {
    /// One statement with parameters.
    pub fn query(&self, sql: &str, parameters: &[Value]) -> Response {
        self.post(&json!({"query": sql, "params": parameters}), &[])
    }

    /// The rows of a statement, which must succeed.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Value {
        let (status, mut body) = self.query(sql, &[]);
        assert_eq!(status, 200, "{body}");
        body["rows"].take()
    }

    /// The SQLSTATE of a statement, which must fail.
    #[track_caller]
    pub fn error(&self, sql: &str) -> String {
        let (status, body) = self.query(sql, &[]);
        assert_eq!(status, 400, "{body}");
        body["code"].as_str().unwrap().to_owned()
    }

    pub fn batch(&self, statements: &[&str]) -> Response {
        let queries: Vec<Value> = statements
            .iter()
            .map(|sql| json!({"query": sql, "params": []}))
            .collect();
        self.post(&json!({"queries": queries}), &[])
    }

    pub fn post(&self, body: &Value, headers: &[(&str, &str)]) -> Response {
        self.post_text(body.to_string(), headers)
    }

    pub fn post_text(&self, body: impl Into<Vec<u8>>, headers: &[(&str, &str)]) -> Response {
        let mut request = self
            .agent
            .post(self.gateway.url())
            .header("Neon-Connection-String", &self.address)
            .header("Neon-Raw-Text-Output", "true")
            .header("Neon-Array-Mode", "true");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.send(body.into().as_slice()).unwrap();
        let text = response
            .body_mut()
            .with_config()
            .limit(200 << 20)
            .read_to_string()
            .unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"));
        (response.status().as_u16(), body)
    }
}
