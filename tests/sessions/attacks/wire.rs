//! Parts of PostgreSQL's protocol that no client library shows: the fast-path call, and every field of an answer.
//!
//! Received messages stay bytes. `postgres-protocol` shows neither the whole body of a message nor the answer to a
//! FunctionCall.

use std::io::{self, ErrorKind};

use testkit::connection::{BytesMut, Connection, frontend, function_call};

/// A session at the level of messages. Every answer is a list of messages, each with its letter.
pub struct Wire(Connection);

pub type Message = (u8, Vec<u8>);

impl Wire {
    pub fn connect(port: u16, database: &str, user: &str) -> Wire {
        let (wire, answer) = Wire::open(port, &[("user", user), ("database", database)]);
        assert!(answer.iter().all(|(letter, _)| *letter != b'E'), "{answer:?}");
        wire
    }

    /// Returns a connection with these startup parameters, and the server's answer to them, which may be an error.
    pub fn open(port: u16, parameters: &[(&str, &str)]) -> (Wire, Vec<Message>) {
        let mut wire = Wire(Connection::open(port, parameters).unwrap());
        let answer = wire.until_ready();
        (wire, answer)
    }

    pub fn query(&mut self, sql: &str) -> Vec<Message> {
        self.exchange(|buffer| frontend::query(sql, buffer))
    }

    /// Calls a function by its OID, with text arguments and a text result.
    pub fn call(&mut self, function: u32, arguments: &[&str]) -> Vec<Message> {
        self.exchange(|buffer| function_call(function, arguments, buffer))
    }

    /// Sends several messages at once, which the server answers before it is ready again.
    pub fn exchange(&mut self, write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> Vec<Message> {
        self.0.send(write).unwrap();
        self.until_ready()
    }

    /// The messages of the server until it is ready or disconnects.
    fn until_ready(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let message = match self.0.receive() {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return messages,
                received => received.unwrap(),
            };
            let (header, body) = message.split_at(5);
            if header[0] == b'Z' {
                return messages;
            }
            messages.push((header[0], body.to_vec()));
        }
    }
}

/// The value of a function call, or None for NULL.
pub fn result(messages: &[Message]) -> Option<String> {
    let (_, body) = messages.iter().find(|(letter, _)| *letter == b'V').expect("a result");
    let (length, value) = body.split_at(4);
    let is_null = length == (-1_i32).to_be_bytes();
    (!is_null).then(|| String::from_utf8(value.to_vec()).unwrap())
}

/// The SQLSTATE of an error.
pub fn sqlstate(messages: &[Message]) -> String {
    let (_, body) = messages.iter().find(|(letter, _)| *letter == b'E').expect("an error");
    let fields = body.split(|byte| *byte == 0);
    let code = fields
        .filter_map(|field| field.strip_prefix(b"C"))
        .next()
        .expect("a code");
    String::from_utf8(code.to_vec()).unwrap()
}
