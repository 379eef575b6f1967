//! Sessions of a preloaded server, and where each of their tokens was verified.

use std::sync::LazyLock;

use postgres::Client;

use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, one, run};

/// The server logs where a token was verified.
pub const CONF: &str = "shared_preload_libraries = 'pg_session_jwt'\nlog_min_messages = debug1";

/// A server with a cache of the default size.
pub static CACHED: LazyLock<Server> = LazyLock::new(|| Server::start(CONF));

/// Where a token was verified.
pub const NEW: &str = "verified by its signature";
pub const HERE: &str = "verified before by this process";
pub const ELSEWHERE: &str = "verified before by another process";

/// A new database of this server with these providers.
pub fn database(server: &Server, entries: &[String], options: &str) -> String {
    let database = server.database_with(options);
    set_providers(server, &database, entries);
    database
}

pub fn set_providers(server: &Server, database: &str, entries: &[String]) {
    let set = format!(
        "alter database {database} set pg_session_jwt.providers = '[{}]'",
        entries.join(",")
    );
    run(&mut server.connect("postgres", "postgres", ""), &set);
}

/// A session whose lines of the log are read.
pub struct Session<'a> {
    pub client: Client,
    server: &'a Server,
    prefix: String,
}

impl<'a> Session<'a> {
    pub fn new(server: &'a Server, database: &str) -> Session<'a> {
        Session::with(server, database, "postgres", "")
    }

    pub fn with(server: &'a Server, database: &str, user: &str, options: &str) -> Session<'a> {
        let mut client = server.connect(database, user, options);
        let pid = one::<i32>(&mut client, "select pg_backend_pid()");
        let prefix = format!("{pid} DEBUG:  token was ");
        Session { client, server, prefix }
    }

    /// Where the tokens of this session were verified so far.
    pub fn origins(&self) -> Vec<String> {
        let log = self.server.log();
        let lines = log.lines().filter_map(|line| line.strip_prefix(&self.prefix));
        lines.map(str::to_owned).collect()
    }

    /// Presents a token that is accepted. Returns where it was verified.
    #[track_caller]
    pub fn origin(&mut self, token: &str) -> String {
        let before = self.origins().len();
        init(&mut self.client, token);
        let after = self.origins();
        assert_eq!(after.len(), before + 1, "{after:?}");
        after[before].clone()
    }
}

/// Where a new session of this database verifies the token.
#[track_caller]
pub fn origin(server: &Server, database: &str, token: &str) -> String {
    Session::new(server, database).origin(token)
}

/// A provider, and a database that trusts it.
pub fn trusted(server: &Server) -> (Provider, String) {
    let provider = Provider::new("a");
    let database = database(server, &[provider.entry("")], "");
    (provider, database)
}
