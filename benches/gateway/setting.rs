//! What is measured: a server with one table under a policy, the gateway in front of it, and the tokens of its user.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testkit::issuer::{ME, fresh, providers};
use testkit::ports::free_port;
use testkit::root;
use testkit::server::{Server, program};
use testkit::session::run;

/// The role of the requests, and the gateway's login.
pub const ROLE: &str = "authenticated";
pub const LOGIN: &str = "jwt_gateway";
/// The gateway's default. No contestant has more connections to PostgreSQL.
pub const CONNECTIONS: usize = 20;

/// One row by its key. The policy adds the user.
pub const STATEMENT: &str = "select id, user_id, task from todos where id = $1";
/// A row of the user.
pub const ROW: &str = "5000";

const CLAIMS_BYTES: usize = 400;
/// Far more than the 64 tokens that a session of PostgreSQL remembers, so that each use in turn is the first there.
const TOKENS: usize = 5000;

/// Memory for all data, and nothing in the background.
const CONF: &str = "jit = off\nmax_parallel_workers_per_gather = 0\nautovacuum = off\nshared_buffers = '256MB'\n\
    checkpoint_timeout = '1h'\nmax_connections = 300\nshared_preload_libraries = 'pg_session_jwt'\n\
    pg_session_jwt.client_keys = off\npg_session_jwt.claims_fallback = off\n";

/// PgBouncer of the testkit logs in as `app`, which is made like the gateway's login.
const SCHEMA: &str = "
    create table todos (id integer primary key, user_id text not null, task text not null);
    alter table todos enable row level security;
    create policy own_todos on todos to authenticated using ((select auth.user_id()) = user_id);
    grant select on todos to authenticated;
    create role app login noinherit;
    grant authenticated to app;
    alter role app set track_activities = off;
    alter role app set log_parameter_max_length = 0;";

pub struct Setting {
    pub server: Server,
    pub database: String,
    pub tokens: Tokens,
}

impl Setting {
    pub fn start() -> Setting {
        let server = Server::start(&format!("{CONF}pg_session_jwt.providers = '{}'\n", providers()));
        let database = server.database();
        let mut client = server.connect(&database, "postgres", "");
        let fill = format!(
            "insert into todos select id, case id % 100 when 0 then '{ME}' else id::text end, 'task ' || id
             from generate_series(1, 10000) as id"
        );
        run(&mut client, &format!("{SCHEMA} {fill}; analyze todos"));
        let output = program("psql", None)
            .args(["-h", "127.0.0.1", "-p", &server.port().to_string(), "-U", "postgres"])
            .args(["-d", &database, "-X", "-q", "-v", "connection_limit=200", "-f"])
            .arg(root().join("gateway/setup.sql"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let tokens = Tokens::sign(server.directory().join("tokens"));
        Setting {
            server,
            database,
            tokens,
        }
    }

    /// The gateway in front of PostgreSQL at this port, which can be a relay's.
    pub fn gateway(&self, postgres: u16) -> Gateway {
        let binary = std::env::var("BENCH_GATEWAY").expect("BENCH_GATEWAY: a release build of the gateway");
        let port = free_port();
        let child = Command::new(binary)
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--postgres", &format!("127.0.0.1:{postgres}")])
            .args(["--database", &self.database, "--user", LOGIN])
            .args(["--max-connections", &CONNECTIONS.to_string()])
            .args(["--log-level", "error"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut gateway = Gateway { child, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert_eq!(gateway.child.try_wait().unwrap(), None, "the gateway has ended");
            assert!(started.elapsed() < Duration::from_secs(30), "no gateway");
            std::thread::sleep(Duration::from_millis(10));
        }
        gateway
    }
}

/// The gateway's process, which ends when this is dropped.
pub struct Gateway {
    child: Child,
    pub port: u16,
}

impl Gateway {
    /// Its memory, in MB.
    pub fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a client presents with its requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    SameToken,
    NewTokens,
}

impl Presented {
    pub fn label(self) -> &'static str {
        match self {
            Presented::SameToken => "same token",
            Presented::NewTokens => "new tokens",
        }
    }
}

/// Tokens that were signed in advance.
pub struct Tokens {
    all: Vec<String>,
    next: AtomicUsize,
    /// The file with one of them on each line.
    pub file: PathBuf,
}

impl Tokens {
    fn sign(file: PathBuf) -> Tokens {
        let all: Vec<String> = (0..TOKENS).map(|_| fresh("ES256", CLAIMS_BYTES)).collect();
        fs::write(&file, all.join("\n")).unwrap();
        Tokens {
            all,
            next: AtomicUsize::new(0),
            file,
        }
    }

    pub fn next(&self, presented: Presented) -> &str {
        match presented {
            Presented::SameToken => &self.all[0],
            Presented::NewTokens => &self.all[self.next.fetch_add(1, Ordering::Relaxed) % TOKENS],
        }
    }
}
