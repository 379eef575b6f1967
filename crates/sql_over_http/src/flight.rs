//! The bytes of one request to PostgreSQL: everything from the begin of the transaction to the clean-up of the connection.
//!
//! All statements up to the end of the user's share one Sync. So PostgreSQL skips the user's SQL if the role or the token is
//! rejected, and everything after a statement that fails (PostgreSQL manual, "Extended Query", "Pipelining").
//!
//! COMMIT follows the Sync as a simple query. After a failure it is a rollback, without the warning that ROLLBACK outside a
//! transaction writes to the server's log; so it needs no answer before it.

use bytes::{BufMut as _, BytesMut};
use postgres_protocol::message::frontend;

use crate::failure::{Failure, sqlstate};
use crate::request::{Isolation, Options, Statement};

/// What ends the connection's memory of a request. It must be the only statement of its message.
pub const CLEAN_UP: &str = "DISCARD ALL";

/// Who a request acts as.
pub struct Actor<'a> {
    pub role: &'a str,
    /// Verified by the extension, after the role is set: a provider can restrict the roles.
    pub token: Option<&'a str>,
    /// For random(): without it a user who calls setseed() would know the random numbers of the next.
    pub seed: f64,
}

pub struct Flight {
    pub bytes: BytesMut,
    /// The gateway's own statements before the user's.
    pub preamble: usize,
    /// The user's statements.
    pub statements: usize,
    /// Whether COMMIT follows the Sync.
    pub transaction: bool,
}

/// A transaction, as this actor or as the login itself.
pub fn transaction(options: &Options, actor: Option<&Actor<'_>>, statements: &[Statement]) -> Result<Flight, Failure> {
    let mut bytes = BytesMut::with_capacity(1024 + size_of(statements));
    let mut preamble = 1;
    statement(&mut bytes, &begin(options), &[])?;
    if let Some(actor) = actor {
        let seed = actor.seed.to_string();
        let sql = "SELECT pg_catalog.set_config('role', $1, true), pg_catalog.setseed($2)";
        statement(&mut bytes, sql, &[actor.role, &seed])?;
        preamble += 1;
        if let Some(token) = actor.token {
            statement(&mut bytes, "SELECT auth.jwt_session_init($1, true)", &[token])?;
            preamble += 1;
        }
    }
    for statement in statements {
        user_statement(&mut bytes, statement)?;
    }
    frontend::sync(&mut bytes);
    query(&mut bytes, "COMMIT")?;
    query(&mut bytes, CLEAN_UP)?;
    Ok(Flight {
        bytes,
        preamble,
        statements: statements.len(),
        transaction: true,
    })
}

/// One statement outside a transaction, for those that cannot run in one (VACUUM, CREATE DATABASE).
pub fn autocommit(statement: &Statement) -> Result<Flight, Failure> {
    let mut bytes = BytesMut::with_capacity(1024 + size_of(std::slice::from_ref(statement)));
    user_statement(&mut bytes, statement)?;
    frontend::sync(&mut bytes);
    query(&mut bytes, CLEAN_UP)?;
    Ok(Flight {
        bytes,
        preamble: 0,
        statements: 1,
        transaction: false,
    })
}

fn begin(options: &Options) -> String {
    let mut sql = "BEGIN".to_owned();
    if let Some(isolation) = options.isolation {
        sql.push_str(" ISOLATION LEVEL ");
        sql.push_str(match isolation {
            Isolation::ReadUncommitted => "READ UNCOMMITTED",
            Isolation::ReadCommitted => "READ COMMITTED",
            Isolation::RepeatableRead => "REPEATABLE READ",
            Isolation::Serializable => "SERIALIZABLE",
        });
    }
    match options.read_only {
        Some(true) => sql.push_str(" READ ONLY"),
        Some(false) => sql.push_str(" READ WRITE"),
        None => {}
    }
    match options.deferrable {
        Some(true) => sql.push_str(" DEFERRABLE"),
        Some(false) => sql.push_str(" NOT DEFERRABLE"),
        None => {}
    }
    sql
}

/// One of the gateway's own statements. Its rows are not read, so it is not described.
fn statement(bytes: &mut BytesMut, sql: &str, parameters: &[&str]) -> Result<(), Failure> {
    let mut encoded = Vec::new();
    for parameter in parameters {
        let length = i32::try_from(parameter.len()).map_err(|_| too_long())?;
        encoded.put_i32(length);
        encoded.put_slice(parameter.as_bytes());
    }
    let count = u16::try_from(parameters.len()).map_err(|_| too_long())?;
    parse(bytes, sql)?;
    bind(bytes, count, &encoded)?;
    frontend::execute("", 0, bytes).map_err(|_| too_long())
}

fn user_statement(bytes: &mut BytesMut, statement: &Statement) -> Result<(), Failure> {
    parse(bytes, &statement.sql)?;
    bind(bytes, statement.parameters.count, &statement.parameters.encoded)?;
    frontend::describe(b'P', "", bytes).map_err(|_| too_long())?;
    frontend::execute("", 0, bytes).map_err(|_| too_long())
}

/// PostgreSQL infers the types of the parameters.
fn parse(bytes: &mut BytesMut, sql: &str) -> Result<(), Failure> {
    frontend::parse("", sql, [], bytes).map_err(|_| too_long())
}

/// Parameters and results as text. The values are encoded already, which frontend::bind does not support.
fn bind(bytes: &mut BytesMut, count: u16, encoded: &[u8]) -> Result<(), Failure> {
    // Length, portal, statement, number of formats, number of parameters, parameters, number of result formats.
    let length = 4 + 1 + 1 + 2 + 2 + encoded.len() + 2;
    bytes.put_u8(b'B');
    bytes.put_i32(i32::try_from(length).map_err(|_| too_long())?);
    bytes.put_slice(&[0, 0]);
    bytes.put_u16(0);
    bytes.put_u16(count);
    bytes.put_slice(encoded);
    bytes.put_u16(0);
    Ok(())
}

fn query(bytes: &mut BytesMut, sql: &str) -> Result<(), Failure> {
    frontend::query(sql, bytes).map_err(|_| too_long())
}

fn size_of(statements: &[Statement]) -> usize {
    statements.iter().map(|statement| statement.size() + 64).sum()
}

/// frontend fails for a message of more than 2 GiB, and for U+0000, which request.rs rejects.
fn too_long() -> Failure {
    Failure::new(
        sqlstate::PROGRAM_LIMIT_EXCEEDED,
        "statement does not fit into a message of PostgreSQL's protocol",
    )
}
