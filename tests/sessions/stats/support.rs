//! A server that counts tokens, and what it has counted for one database.

use std::sync::LazyLock;

use postgres::Client;

use testkit::provider::{Provider, database_on};
use testkit::server::Server;
use testkit::session::one;

/// The library is preloaded.
pub const CONF: &str = "shared_preload_libraries = 'pg_session_jwt'";

pub static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(CONF));

pub const A: &str = "https://a.example/";
pub const B: &str = "https://b.example/";

/// A database that trusts two providers, whose statistics no other test changes.
pub struct Site {
    pub a: Provider,
    pub b: Provider,
    pub database: String,
}

impl Site {
    pub fn new() -> Site {
        let (a, b) = (Provider::new(A), Provider::new(B));
        let database = database_on(&SERVER, &[a.entry(""), b.entry("")], "");
        Site { a, b, database }
    }

    pub fn session(&self) -> Client {
        SERVER.connect(&self.database, "postgres", "")
    }

    /// The numbers that are not 0.
    pub fn counted(&self) -> Vec<String> {
        counted(&SERVER, &self.database)
    }
}

/// The tokens that were counted in a database: issuer, origin or reason, and number.
pub fn counted(server: &Server, database: &str) -> Vec<String> {
    let mut monitor = server.connect("template1", "postgres", "");
    let rows = format!(
        "select coalesce(array_agg(concat_ws(' ', coalesce(issuer, '-'), statistic, detail, value)
                                   order by issuer, statistic, detail), '{{}}')
           from auth.stats() where database = '{database}' and statistic <> 'verification_time' and value <> 0"
    );
    one(&mut monitor, &rows)
}

/// The milliseconds of all verifications in a database.
pub fn verification_time(server: &Server, database: &str) -> f64 {
    let mut monitor = server.connect("template1", "postgres", "");
    let sum = format!(
        "select coalesce(sum(value), 0) from auth.stats()
          where database = '{database}' and statistic = 'verification_time'"
    );
    one(&mut monitor, &sum)
}

/// A number of the whole server; `detail` is a condition.
pub fn of_server(server: &Server, statistic: &str, detail: &str) -> f64 {
    let mut monitor = server.connect("template1", "postgres", "");
    let value = format!(
        "select value from auth.stats()
          where database is null and issuer is null and statistic = '{statistic}' and detail {detail}"
    );
    one(&mut monitor, &value)
}
