//! The audit log of one session.

use std::sync::LazyLock;

use postgres::Client;
use serde_json::Value;

use testkit::server::Server;
use testkit::session::one;

pub const AUDIT: &str = "pg_session_jwt audit: ";

/// A server that logs identities, and no statements.
pub static AUDITED: LazyLock<Server> = LazyLock::new(|| {
    Server::start(
        "pg_session_jwt.audit_log = on\nlog_statement = 'none'\nmax_worker_processes = 100\n\
         max_parallel_workers = 100\nmax_parallel_workers_per_gather = 2\n\
         parallel_setup_cost = 0\nparallel_tuple_cost = 0\nmin_parallel_table_scan_size = 0",
    )
});

/// A session whose lines in the log are inspected.
pub struct Audited {
    pub client: Client,
    pub pid: String,
}

impl Audited {
    pub fn new(options: &str) -> Audited {
        let mut client = AUDITED.connect("template1", "postgres", options);
        let pid = one::<i32>(&mut client, "select pg_backend_pid()").to_string();
        Audited { client, pid }
    }

    /// The lines of the log that this session wrote, without their prefix.
    pub fn lines(&self) -> Vec<String> {
        let log = AUDITED.log();
        let prefix = format!("{} ", self.pid);
        log.lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .map(str::to_owned)
            .collect()
    }

    /// Its audit lines so far.
    pub fn audit(&self) -> Vec<Value> {
        let lines = self.lines();
        let audit = lines.iter().filter_map(|line| line.split_once(AUDIT));
        audit
            .map(|(_, json)| serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}")))
            .collect()
    }
}
