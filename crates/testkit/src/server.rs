//! Throw-away servers of the PostgreSQL that PG_CONFIG names, with the extension as it is installed there.
//!
//! A server is a child of the test process and has a separate directory. It ends with the process, by `Drop`, or by the
//! terminal's interrupt, which the kernel sends to both.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls};

use crate::children::{ends_with_this_process, forget, stop};
use crate::data_directory;
use crate::ports::free_port;

/// The server that most tests share; each test has its own database. The library is not preloaded.
pub static SHARED: LazyLock<Server> = LazyLock::new(|| Server::start(""));

pub struct Server {
    child: Child,
    program: PathBuf,
    directory: PathBuf,
    port: u16,
    databases: AtomicU32,
}

impl Server {
    /// Starts a server with these lines in its postgresql.conf. Autovacuum is off: its time is chance, and its locks and
    /// statistics would change what a test sees.
    pub fn start(conf: &str) -> Server {
        let server = Server::start_empty(conf);
        let mut client = server.connect("template1", "postgres", "");
        client.batch_execute("create extension pg_session_jwt").unwrap();
        server
    }

    /// Starts a server without the extension in any database.
    pub fn start_empty(conf: &str) -> Server {
        Server::start_program(conf, |_| bindir().join("postgres"))
    }

    /// Starts a server from the program that `program` returns; it may first make that program in the server's directory.
    pub fn start_program(conf: &str, program: impl FnOnce(&Path) -> PathBuf) -> Server {
        let server = Server::create(conf, program);
        server.wait();
        server
    }

    fn create(conf: &str, program_in: impl FnOnce(&Path) -> PathBuf) -> Server {
        static SERVERS: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "pg_session_jwt-{}-{}",
            std::process::id(),
            SERVERS.fetch_add(1, Ordering::Relaxed)
        );
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory).unwrap();
        let owner = unprivileged_user();
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&directory, Some(uid), Some(gid)).unwrap();
        }
        let data = directory.join("data");
        data_directory::create(&data, owner);
        let port = free_port();
        let settings = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nfsync = off\n\
             autovacuum = off\nmax_connections = 100\nlog_line_prefix = '%p '\n{conf}\n",
            directory.display()
        );
        fs::write(data.join("postgresql.auto.conf"), settings).unwrap();
        let postgres = program_in(&directory);
        let child = spawn(&postgres, &directory, owner);
        ends_with_this_process(&child, libc::SIGINT, &directory);
        Server {
            child,
            program: postgres,
            directory,
            port,
            databases: AtomicU32::new(0),
        }
    }

    /// Whether a server with these lines comes up at all, and its log.
    pub fn try_start(conf: &str) -> (bool, String) {
        let mut server = Server::create(conf, |_| bindir().join("postgres"));
        let started = Instant::now();
        while server.try_connect("template1", "postgres", "").is_err() {
            if server.child.try_wait().unwrap().is_some() || started.elapsed() > Duration::from_secs(30) {
                return (false, server.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        (true, server.log())
    }

    fn wait(&self) {
        let started = Instant::now();
        while let Err(error) = self.try_connect("template1", "postgres", "") {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "no server: {error}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops and starts the server again, with its data and settings.
    pub fn restart(&mut self) {
        self.restart_after(|_| {});
    }

    /// Like [`Server::restart`], with a change in the server's directory in between.
    pub fn restart_after(&mut self, change: impl FnOnce(&Path)) {
        self.stop();
        change(&self.directory);
        self.child = spawn(&self.program, &self.directory, unprivileged_user());
        ends_with_this_process(&self.child, libc::SIGINT, &self.directory);
        self.wait();
    }

    /// Kills the postmaster and starts the server again on the files that are left.
    pub fn restart_after_kill(&mut self) {
        forget(&self.child);
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let killed = Instant::now();
        loop {
            self.child = spawn(&self.program, &self.directory, unprivileged_user());
            while self.child.try_wait().unwrap().is_none() {
                if self.try_connect("template1", "postgres", "").is_ok() {
                    ends_with_this_process(&self.child, libc::SIGINT, &self.directory);
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            // PostgreSQL does not start while a process of the killed server still has the shared memory.
            assert!(killed.elapsed() < Duration::from_secs(60), "no server:\n{}", self.log());
        }
    }

    fn stop(&mut self) {
        stop(&mut self.child, libc::SIGINT);
    }

    /// A new database, with the extension.
    pub fn database(&self) -> String {
        self.database_with("")
    }

    /// A new database, with the extension and these options, such as `encoding 'LATIN1' template template0`.
    pub fn database_with(&self, options: &str) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let create = format!("create database {name} {options}");
        // CREATE DATABASE copies template1, which must have no other session meanwhile.
        static TEMPLATE: Mutex<()> = Mutex::new(());
        let guard = TEMPLATE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.connect("postgres", "postgres", "").batch_execute(&create).unwrap();
        drop(guard);
        if options.contains("template0") {
            self.connect(&name, "postgres", "")
                .batch_execute("create extension pg_session_jwt")
                .unwrap();
        }
        name
    }

    /// A session; `options` are libpq's startup options: `-c name=value`.
    pub fn connect(&self, database: &str, user: &str, options: &str) -> Client {
        self.try_connect(database, user, options).unwrap()
    }

    pub fn try_connect(&self, database: &str, user: &str, options: &str) -> Result<Client, postgres::Error> {
        let mut config = Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .dbname(database)
            .user(user)
            .options(options);
        config.connect(NoTls)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.directory.join("log")).unwrap()).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A program of the PostgreSQL under test; as root it runs as another user, as PostgreSQL demands.
pub fn program(name: &str, owner: Option<(u32, u32)>) -> Command {
    program_at(&bindir().join(name), owner)
}

/// Any program, as that user.
pub fn program_at(path: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(path);
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
    // With it, errors that come from Rust have a backtrace in their DETAIL.
    command.env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
    command
}

fn spawn(program: &Path, directory: &Path, owner: Option<(u32, u32)>) -> Child {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join("log"))
        .unwrap();
    let mut postgres = program_at(program, owner);
    postgres.arg("-D").arg(directory.join("data"));
    postgres.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// The ordinary user `postgres`, when the tests run as root.
pub fn unprivileged_user() -> Option<(u32, u32)> {
    static USER: LazyLock<Option<(u32, u32)>> = LazyLock::new(|| {
        // SAFETY: geteuid(2) has no preconditions.
        if unsafe { libc::geteuid() } != 0 {
            return None;
        }
        let id = |what| {
            let output = Command::new("id").args([what, "postgres"]).output().unwrap();
            String::from_utf8(output.stdout)
                .unwrap()
                .trim()
                .parse()
                .expect("a user postgres, to run servers as")
        };
        Some((id("-u"), id("-g")))
    });
    *USER
}

fn bindir() -> PathBuf {
    static BINDIR: LazyLock<PathBuf> = LazyLock::new(|| pg_config("--bindir"));
    BINDIR.clone()
}

/// A directory of the PostgreSQL under test; `what` is an option of pg_config.
pub fn pg_config(what: &str) -> PathBuf {
    let pg_config = std::env::var("PG_CONFIG").expect("PG_CONFIG: the pg_config of the PostgreSQL to test");
    let output = Command::new(pg_config).arg(what).output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// The major version under test.
pub fn major() -> u32 {
    let version = SHARED
        .connect("postgres", "postgres", "")
        .query_one("show server_version_num", &[])
        .unwrap();
    version.get::<_, String>(0).parse::<u32>().unwrap() / 10_000
}
