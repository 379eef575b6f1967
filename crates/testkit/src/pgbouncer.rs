//! The packaged PgBouncer in front of a test server. Its clients share one connection to the server.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls};

use crate::children::{ends_with_this_process, stop};
use crate::ports::free_port;
use crate::server::{Server, program_at, unprivileged_user};

/// A running PgBouncer. It ends when the value is dropped or, in a static, with the test process.
pub struct PgBouncer {
    child: Child,
    directory: PathBuf,
    pub port: u16,
}

impl PgBouncer {
    /// Starts one in this mode (`session`, `transaction`, `statement`), with these further lines in its configuration.
    pub fn start(server: &Server, mode: &str, conf: &str) -> PgBouncer {
        let port = free_port();
        let directory = server.directory().join(format!("pgbouncer-{port}"));
        fs::create_dir(&directory).unwrap();
        // With auth_type = trust PgBouncer still needs the names that may log in.
        fs::write(directory.join("users"), "\"app\" \"\"\n").unwrap();
        let ini = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {mode}\ndefault_pool_size = 1\n\
             max_client_conn = 1000\n{conf}\n",
            server.port(),
            directory.join("users").display()
        );
        fs::write(directory.join("ini"), ini).unwrap();
        let log = fs::File::create(directory.join("log")).unwrap();
        let mut pgbouncer = program_at(&program(), unprivileged_user());
        let child = pgbouncer
            .arg(directory.join("ini"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        ends_with_this_process(&child, libc::SIGTERM, &directory);
        let mut pgbouncer = PgBouncer { child, directory, port };
        let started = Instant::now();
        while let Err(error) = std::net::TcpStream::connect(("127.0.0.1", port)) {
            let log = pgbouncer.log();
            assert!(pgbouncer.child.try_wait().unwrap().is_none(), "PgBouncer ended\n{log}");
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "no PgBouncer: {error}\n{log}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        pgbouncer
    }

    /// A client of the application, which logs in as `app`.
    pub fn connect(&self, database: &str) -> Client {
        self.try_connect(database, "").unwrap()
    }

    pub fn try_connect(&self, database: &str, options: &str) -> Result<Client, postgres::Error> {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user("app").dbname(database);
        if !options.is_empty() {
            config.options(options);
        }
        config.connect(NoTls)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        stop(&mut self.child, libc::SIGTERM);
    }
}

/// The packaged version, as (1, 18).
pub fn version() -> (u32, u32) {
    let output = Command::new(program()).arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers = text.lines().next().unwrap().strip_prefix("PgBouncer ").unwrap();
    let mut numbers = numbers.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// The program: PGBOUNCER, or the one of Debian's package, whose directory is not on every user's path.
fn program() -> PathBuf {
    let program = std::env::var_os("PGBOUNCER").map_or_else(|| PathBuf::from("/usr/sbin/pgbouncer"), PathBuf::from);
    assert!(
        program.exists(),
        "pgbouncer is needed: scripts/setup.sh --with-tests installs it"
    );
    program
}
