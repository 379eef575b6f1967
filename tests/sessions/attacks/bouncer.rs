//! A PgBouncer of the distribution in front of a server, in transaction mode.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::server::{Server, ends_with_this_process, program_at, stop, unprivileged_user};

/// Ends with its value or, in a static, with the test process.
pub struct Bouncer {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Bouncer {
    /// Starts one with these further lines in its configuration. A database has one session for all clients of a user,
    /// so that the next one certainly finds what the last one left.
    pub fn start(server: &Server, conf: &str) -> Bouncer {
        let folder = folder();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let users = folder.join("users");
        fs::write(&users, "\"app\" \"\"\n").unwrap();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 1\n\
             max_client_conn = 1000\n{conf}\n",
            server.port(),
            users.display()
        );
        let ini = folder.join("pgbouncer.ini");
        fs::write(&ini, settings).unwrap();
        let child = spawn(&folder, &ini);
        ends_with_this_process(&child, libc::SIGTERM, &folder);
        let mut bouncer = Bouncer { child, folder, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs::read_to_string(bouncer.folder.join("log")).unwrap();
            assert!(bouncer.child.try_wait().unwrap().is_none(), "PgBouncer ended\n{log}");
            assert!(started.elapsed() < Duration::from_secs(60), "no PgBouncer\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        bouncer
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        stop(&mut self.child, libc::SIGTERM);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn folder() -> PathBuf {
    static BOUNCERS: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "pg_session_jwt-bouncer-{}-{}",
        std::process::id(),
        BOUNCERS.fetch_add(1, Ordering::Relaxed)
    );
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).unwrap();
    folder
}

fn spawn(folder: &Path, ini: &Path) -> Child {
    // Debian has it where an ordinary user's PATH does not look.
    let sbin = Path::new("/usr/sbin/pgbouncer");
    let program = if sbin.exists() { sbin } else { Path::new("pgbouncer") };
    let log = fs::File::create(folder.join("log")).unwrap();
    program_at(program, unprivileged_user())
        .arg(ini)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("pgbouncer: scripts/setup.sh --with-node installs it")
}
