//! Clients that the `postgres` crate does not have: a login with a token, SASL OAUTHBEARER (RFC 7628), and calls without a
//! statement. The messages are those of `postgres-protocol`, on which `postgres` is built as well.

use std::io;

use postgres::fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, Message};

use crate::connection::{Connection, frontend, function_call};
use crate::session::Rejection;

/// The separator of the parts of an OAUTHBEARER message (RFC 7628 §3.1).
const SEPARATOR: char = '\u{1}';

const MECHANISM: &str = "OAUTHBEARER";

/// The answer to a FunctionCall, which `postgres-protocol` has no name for.
const FUNCTION_CALL_RESPONSE: u8 = b'V';

pub type Row = Vec<Option<String>>;

/// The client's first message for a token.
pub fn bearer(token: &str) -> String {
    format!("n,,{SEPARATOR}auth=Bearer {token}{SEPARATOR}{SEPARATOR}")
}

/// The client's first message without a token, which asks where tokens come from.
pub fn discovery() -> String {
    format!("n,,{SEPARATOR}auth={SEPARATOR}{SEPARATOR}")
}

/// A session that began with a token.
pub struct Wire(Connection);

impl Wire {
    /// Logs in with a token. `parameters` are those of the startup packet other than the user.
    pub fn login(port: u16, user: &str, parameters: &[(&str, &str)], token: &str) -> Result<Wire, Rejection> {
        Wire::login_with(port, user, parameters, &bearer(token))
    }

    /// Like [`Wire::login`], but with any first message of the client.
    pub fn login_with(port: u16, user: &str, parameters: &[(&str, &str)], first: &str) -> Result<Wire, Rejection> {
        let parameters = [&[("user", user)], parameters].concat();
        let mut wire = Wire(Connection::open(port, &parameters).map_err(|error| broken(&error))?);
        wire.authenticate(first).map_err(|error| broken(&error))??;
        Ok(wire)
    }

    fn authenticate(&mut self, first: &str) -> io::Result<Result<(), Rejection>> {
        loop {
            match self.receive()? {
                Message::AuthenticationSasl(body) => {
                    assert_eq!(body.mechanisms().collect::<Vec<_>>()?, [MECHANISM]);
                    self.0
                        .send(|buffer| frontend::sasl_initial_response(MECHANISM, first.as_bytes(), buffer))?;
                }
                // The server names what it would accept; the client has one answer to that (RFC 7628 §3.2.3).
                Message::AuthenticationSaslContinue(body) => {
                    let wanted = String::from_utf8_lossy(body.data());
                    assert!(wanted.contains(r#""status": "invalid_token""#), "{wanted}");
                    self.0
                        .send(|buffer| frontend::sasl_response(SEPARATOR.to_string().as_bytes(), buffer))?;
                }
                Message::ErrorResponse(body) => return Ok(Err(rejection(&body)?)),
                Message::ReadyForQuery(_) => return Ok(Ok(())),
                Message::AuthenticationOk
                | Message::ParameterStatus(_)
                | Message::BackendKeyData(_)
                | Message::NoticeResponse(_) => {}
                _ => panic!("a message that belongs to no login"),
            }
        }
    }

    fn receive(&mut self) -> io::Result<Message> {
        let mut message = self.0.receive()?;
        Ok(Message::parse(&mut message)?.expect("a whole message"))
    }

    /// The rows of a simple query, as texts.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Row>, Rejection> {
        let sent = self.0.send(|buffer| frontend::query(sql, buffer));
        let answer = sent.and_then(|()| self.answer());
        answer.map_err(|error| broken(&error))?
    }

    /// Calls a function without arguments by its number, without a statement.
    pub fn call_function(&mut self, number: u32) -> Result<Vec<Row>, Rejection> {
        let sent = self.0.send(|buffer| function_call(number, &[], buffer));
        let answer = sent.and_then(|()| self.answer());
        answer.map_err(|error| broken(&error))?
    }

    fn answer(&mut self) -> io::Result<Result<Vec<Row>, Rejection>> {
        let mut answer = Ok(Vec::new());
        loop {
            let mut message = match self.0.receive() {
                // The error was the last message of the session.
                Err(_) if answer.is_err() => return Ok(answer),
                received => received?,
            };
            if message[0] == FUNCTION_CALL_RESPONSE {
                continue;
            }
            match (Message::parse(&mut message)?.expect("a whole message"), &mut answer) {
                (Message::DataRow(body), Ok(rows)) => rows.push(row(&body)?),
                (Message::ErrorResponse(body), _) => answer = Err(rejection(&body)?),
                (Message::ReadyForQuery(_), _) => return Ok(answer),
                _ => {}
            }
        }
    }

    /// The one value of a query.
    #[track_caller]
    pub fn one(&mut self, sql: &str) -> Option<String> {
        let mut rows = self
            .query(sql)
            .unwrap_or_else(|rejection| panic!("{sql}: {rejection:?}"));
        rows.pop().unwrap().pop().unwrap()
    }

    #[track_caller]
    pub fn run(&mut self, sql: &str) {
        if let Err(rejection) = self.query(sql) {
            panic!("{sql}: {rejection:?}");
        }
    }

    /// Asserts that a query fails with this SQLSTATE and message.
    #[track_caller]
    pub fn rejects(&mut self, sql: &str, sqlstate: &str, message: &str) {
        let rejection = self.query(sql).unwrap_err();
        assert_eq!(
            (rejection.sqlstate.as_str(), rejection.message.as_str()),
            (sqlstate, message),
            "{rejection:?}"
        );
    }
}

fn row(body: &DataRowBody) -> io::Result<Row> {
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    body.ranges()
        .map(|range| Ok(range.map(|range| text(&body.buffer()[range]))))
        .collect()
}

fn rejection(body: &ErrorResponseBody) -> io::Result<Rejection> {
    let mut rejection = Rejection {
        sqlstate: String::new(),
        message: String::new(),
        detail: None,
        hint: None,
    };
    body.fields().for_each(|field| {
        let text = String::from_utf8(field.value_bytes().to_vec()).unwrap();
        match field.type_() {
            b'C' => rejection.sqlstate = text,
            b'M' => rejection.message = text,
            b'D' => rejection.detail = Some(text),
            b'H' => rejection.hint = Some(text),
            _ => {}
        }
        Ok(())
    })?;
    Ok(rejection)
}

/// The server closed the connection.
fn broken(error: &io::Error) -> Rejection {
    Rejection {
        sqlstate: "closed".to_owned(),
        message: error.to_string(),
        detail: None,
        hint: None,
    }
}
