//! A server that shows its connections, and what it shows of one of them.

use std::sync::LazyLock;

use postgres::Client;

use testkit::key_server::wait_until;
use testkit::provider::{Provider, database_on};
use testkit::server::Server;
use testkit::session::one;

/// A server with the library preloaded, and room for prepared transactions and parallel workers.
pub static SERVER: LazyLock<Server> = LazyLock::new(|| {
    Server::start(
        "shared_preload_libraries = 'pg_session_jwt'\nmax_prepared_transactions = 4\nmax_worker_processes = 20\n\
         max_parallel_workers_per_gather = 2\nparallel_setup_cost = 0\nparallel_tuple_cost = 0\n\
         min_parallel_table_scan_size = 0",
    )
});

pub const ISSUER: &str = "https://activity.example/";

/// A database that trusts a provider, and a session that watches the others.
pub struct Site {
    pub provider: Provider,
    pub database: String,
    pub monitor: Client,
}

impl Site {
    pub fn new() -> Site {
        Site::with_options("")
    }

    /// A site whose database has options, such as its encoding.
    pub fn with_options(options: &str) -> Site {
        let provider = Provider::new(ISSUER);
        let database = database_on(&SERVER, &[provider.entry("")], options);
        Site {
            provider,
            database,
            monitor: monitor(),
        }
    }

    pub fn session(&self) -> Client {
        SERVER.connect(&self.database, "postgres", "")
    }

    pub fn token(&self, user: &str) -> String {
        self.provider.token(user)
    }

    /// What another session sees of this one: user id and scope; empty where there is no row.
    pub fn user_and_scope(&mut self, session: &mut Client) -> String {
        self.shown(&pid(session), "user_id, scope")
    }

    /// These columns of a connection's row; empty where there is no row.
    pub fn shown(&mut self, pid: &i32, columns: &str) -> String {
        shown(&mut self.monitor, *pid, columns)
    }
}

/// A session in another database than all others.
pub fn monitor() -> Client {
    static DATABASE: LazyLock<String> = LazyLock::new(|| SERVER.database());
    SERVER.connect(&DATABASE, "postgres", "")
}

/// A client reads an error before its transaction is aborted, so the connection ends its statement first.
pub fn shown(monitor: &mut Client, pid: i32, columns: &str) -> String {
    let is_idle = format!(
        "select not exists (
             select from pg_stat_activity where pid = {pid} and pid <> pg_backend_pid() and state = 'active')"
    );
    wait_until("the end of the statement", || one(monitor, &is_idle));
    one(
        monitor,
        &format!(
            "select coalesce(string_agg(concat_ws('|', {columns}), ' '), '') from auth.activity() where pid = {pid}"
        ),
    )
}

/// The process of a session.
pub fn pid(session: &mut Client) -> i32 {
    one(session, "select pg_backend_pid()")
}
