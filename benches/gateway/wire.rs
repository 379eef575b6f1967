//! Clients of PostgreSQL's protocol without any driver: the transaction of a request as the gateway sends it, in one write,
//! and as an application does, in round trips.

use testkit::connection::{BytesMut, Connection, IsNull, frontend};

use crate::load::Client;
use crate::setting::{ROLE, ROW, STATEMENT};

/// The tags of messages.
const DATA_ROW: u8 = b'D';
const ERROR: u8 = b'E';
const READY: u8 = b'Z';

/// Any number in the form of the gateway's seeds.
const SEED: &str = "0.3745401188473625";

/// Logs in, where PostgreSQL or PgBouncer trusts.
fn log_in(port: u16, user: &str, database: &str) -> Connection {
    let mut connection = Connection::open(port, &[("user", user), ("database", database)]).unwrap();
    read_until_ready(&mut connection);
    connection
}

/// Reads to the end of an answer; returns its number of rows.
fn read_until_ready(connection: &mut Connection) -> usize {
    let mut rows = 0;
    loop {
        let message = connection.receive().unwrap();
        match message[0] {
            DATA_ROW => rows += 1,
            ERROR => panic!("{}", String::from_utf8_lossy(&message)),
            READY => return rows,
            _ => {}
        }
    }
}

/// A statement with its parameters as text.
fn statement(bytes: &mut BytesMut, sql: &str, parameters: &[&str], describe: bool) {
    frontend::parse("", sql, [], bytes).unwrap();
    let text = |parameter: &&str, bytes: &mut BytesMut| {
        bytes.extend_from_slice(parameter.as_bytes());
        Ok(IsNull::No)
    };
    assert!(frontend::bind("", "", [], parameters, text, [], bytes).is_ok());
    if describe {
        frontend::describe(b'P', "", bytes).unwrap();
    }
    frontend::execute("", 0, bytes).unwrap();
}

/// The messages of gateway/src/flight.rs. The table of round trips compares them with the gateway's.
pub fn flight(token: &str, clean_up: &str) -> BytesMut {
    let mut bytes = BytesMut::with_capacity(2048);
    statement(&mut bytes, "BEGIN", &[], false);
    let role = "SELECT pg_catalog.set_config('role', $1, true), pg_catalog.setseed($2)";
    statement(&mut bytes, role, &[ROLE, SEED], false);
    statement(&mut bytes, "SELECT auth.jwt_session_init($1, true)", &[token], false);
    statement(&mut bytes, STATEMENT, &[ROW], true);
    frontend::sync(&mut bytes);
    frontend::query("COMMIT", &mut bytes).unwrap();
    if !clean_up.is_empty() {
        frontend::query(clean_up, &mut bytes).unwrap();
    }
    bytes
}

/// Sends all messages of a transaction at once.
pub struct Pipelined {
    connection: Connection,
    clean_up: &'static str,
}

/// The gateway's clean-up.
pub const DISCARD_ALL: &str = "DISCARD ALL";

impl Pipelined {
    pub fn connect(port: u16, user: &str, database: &str, clean_up: &'static str) -> Pipelined {
        Pipelined {
            connection: log_in(port, user, database),
            clean_up,
        }
    }
}

impl Client for Pipelined {
    fn request(&mut self, token: &str) {
        let bytes = flight(token, self.clean_up);
        self.connection
            .send(|buffer| {
                *buffer = bytes;
                Ok(())
            })
            .unwrap();
        // The rows of the role, of the token and of the statement.
        assert_eq!(read_until_ready(&mut self.connection), 3);
        assert_eq!(read_until_ready(&mut self.connection), 0);
    }

    fn settle(&mut self) {
        if !self.clean_up.is_empty() {
            read_until_ready(&mut self.connection);
        }
    }
}

/// Waits for the answer to each statement of a transaction.
pub struct RoundTrips(Connection);

impl RoundTrips {
    pub fn connect(port: u16, user: &str, database: &str) -> RoundTrips {
        RoundTrips(log_in(port, user, database))
    }

    fn query(&mut self, sql: &str) {
        self.0.send(|bytes| frontend::query(sql, bytes)).unwrap();
        read_until_ready(&mut self.0);
    }

    fn statement(&mut self, sql: &str, parameters: &[&str]) {
        let send = |bytes: &mut BytesMut| {
            statement(bytes, sql, parameters, true);
            frontend::sync(bytes);
            Ok(())
        };
        self.0.send(send).unwrap();
        assert_eq!(read_until_ready(&mut self.0), 1);
    }
}

impl Client for RoundTrips {
    fn request(&mut self, token: &str) {
        self.query("BEGIN");
        let identity = "SELECT set_config('role', $1, true), auth.jwt_session_init($2, true)";
        self.statement(identity, &[ROLE, token]);
        self.statement(STATEMENT, &[ROW]);
        self.query("COMMIT");
    }
}
