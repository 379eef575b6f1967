//! Parts of PostgreSQL's protocol that no client library shows: the fast-path call, and every field of an answer.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A session at the level of messages. Every answer is a list of messages, each with its letter.
pub struct Wire(TcpStream);

pub type Message = (u8, Vec<u8>);

impl Wire {
    pub fn connect(port: u16, database: &str, user: &str) -> Wire {
        let (wire, answer) = Wire::open(port, &[("user", user), ("database", database)]);
        assert!(answer.iter().all(|(letter, _)| *letter != b'E'), "{answer:?}");
        wire
    }

    /// Returns a connection with these startup parameters, and the server's answer to them, which may be an error.
    pub fn open(port: u16, parameters: &[(&str, &str)]) -> (Wire, Vec<Message>) {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let mut startup = 196_608_i32.to_be_bytes().to_vec();
        for (name, value) in parameters {
            startup.extend(format!("{name}\0{value}\0").bytes());
        }
        startup.push(0);
        stream.write_all(&length_of(&startup)).unwrap();
        stream.write_all(&startup).unwrap();
        let mut wire = Wire(stream);
        let answer = wire.until_ready();
        (wire, answer)
    }

    pub fn query(&mut self, sql: &str) -> Vec<Message> {
        self.send(b'Q', &[sql.as_bytes(), &[0]].concat())
    }

    /// Calls a function by its OID, with text arguments and a text result.
    pub fn call(&mut self, function: u32, arguments: &[&str]) -> Vec<Message> {
        let count = i16::try_from(arguments.len()).unwrap().to_be_bytes();
        let mut body = function.to_be_bytes().to_vec();
        body.extend(0_i16.to_be_bytes());
        body.extend(count);
        for argument in arguments {
            body.extend(i32::try_from(argument.len()).unwrap().to_be_bytes());
            body.extend(argument.as_bytes());
        }
        body.extend(0_i16.to_be_bytes());
        self.send(b'F', &body)
    }

    fn send(&mut self, letter: u8, body: &[u8]) -> Vec<Message> {
        self.send_all(&[(letter, body)])
    }

    /// Sends several messages at once, which the server answers before it is ready again.
    pub fn send_all(&mut self, messages: &[(u8, &[u8])]) -> Vec<Message> {
        for (letter, body) in messages {
            let message = [&[*letter], &length_of(body)[..], body].concat();
            self.0.write_all(&message).unwrap();
        }
        self.until_ready()
    }

    /// The messages of the server until it is ready or disconnects.
    fn until_ready(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let mut head = [0; 5];
            match self.0.read_exact(&mut head) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return messages,
                read => read.unwrap(),
            }
            let length = u32::from_be_bytes(head[1..].try_into().unwrap());
            let mut body = vec![0; usize::try_from(length).unwrap() - 4];
            self.0.read_exact(&mut body).unwrap();
            if head[0] == b'Z' {
                return messages;
            }
            messages.push((head[0], body));
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

fn length_of(body: &[u8]) -> [u8; 4] {
    i32::try_from(body.len() + 4).unwrap().to_be_bytes()
}
