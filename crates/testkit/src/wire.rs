//! A client that logs in with a token: the startup of PostgreSQL's protocol 3.0 and SASL OAUTHBEARER (RFC 7628), then
//! simple queries. The `postgres` crate has no such login.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::session::Refusal;

/// What separates the parts of an OAUTHBEARER message (RFC 7628 §3.1).
const SEPARATOR: char = '\u{1}';

pub struct Wire {
    stream: BufReader<TcpStream>,
}

pub type Row = Vec<Option<String>>;

/// The client's first message for a token.
pub fn bearer(token: &str) -> String {
    format!("n,,{SEPARATOR}auth=Bearer {token}{SEPARATOR}{SEPARATOR}")
}

/// The one that asks where tokens come from: it has none.
pub fn discovery() -> String {
    format!("n,,{SEPARATOR}auth={SEPARATOR}{SEPARATOR}")
}

impl Wire {
    /// Logs in with a token. `parameters` are those of the startup packet beside the user.
    pub fn login(port: u16, user: &str, parameters: &[(&str, &str)], token: &str) -> Result<Wire, Refusal> {
        Wire::login_with(port, user, parameters, &bearer(token))
    }

    /// The same with any first message of the client.
    pub fn login_with(port: u16, user: &str, parameters: &[(&str, &str)], first: &str) -> Result<Wire, Refusal> {
        let mut wire = Wire::connect(port).map_err(|error| broken(&error))?;
        wire.start(user, parameters, first).map_err(|error| broken(&error))??;
        Ok(wire)
    }

    fn connect(port: u16) -> io::Result<Wire> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        stream.set_nodelay(true)?;
        Ok(Wire {
            stream: BufReader::new(stream),
        })
    }

    fn start(&mut self, user: &str, parameters: &[(&str, &str)], first: &str) -> io::Result<Result<(), Refusal>> {
        let mut packet = 0x0003_0000_u32.to_be_bytes().to_vec();
        for (name, value) in [("user", user)].iter().chain(parameters) {
            packet.extend(format!("{name}\0{value}\0").bytes());
        }
        packet.push(0);
        self.send(None, &packet)?;
        loop {
            let (kind, body) = self.receive()?;
            match (kind, body.first_chunk().map_or(0, |code| u32::from_be_bytes(*code))) {
                (b'R', 10) => {
                    assert_eq!(&body[4..], b"OAUTHBEARER\0\0");
                    let mut response = b"OAUTHBEARER\0".to_vec();
                    response.extend(u32::try_from(first.len()).unwrap().to_be_bytes());
                    response.extend(first.bytes());
                    self.send(Some(b'p'), &response)?;
                }
                // The server says what it would have liked; the client has one answer to that (RFC 7628 §3.2.3).
                (b'R', 11) => {
                    let wanted = String::from_utf8(body[4..].to_vec()).unwrap();
                    assert!(wanted.contains(r#""status": "invalid_token""#), "{wanted}");
                    self.send(Some(b'p'), SEPARATOR.to_string().as_bytes())?;
                }
                (b'E', _) => return Ok(Err(refusal(&body))),
                (b'Z', _) => return Ok(Ok(())),
                (b'R' | b'S' | b'K' | b'N', _) => {}
                (other, _) => panic!("{}", char::from(other)),
            }
        }
    }

    /// The rows of a simple query, as texts.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Row>, Refusal> {
        self.ask(sql).map_err(|error| broken(&error))?
    }

    /// Calls a function without arguments by its number, without a statement (the message FunctionCall).
    pub fn call_function(&mut self, number: u32) -> Result<Vec<Row>, Refusal> {
        // No formats and no arguments; the result as text.
        let body = [&number.to_be_bytes()[..], &[0; 6]].concat();
        let answer = self.send(Some(b'F'), &body).and_then(|()| self.answer());
        answer.map_err(|error| broken(&error))?
    }

    fn ask(&mut self, sql: &str) -> io::Result<Result<Vec<Row>, Refusal>> {
        self.send(Some(b'Q'), format!("{sql}\0").as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Result<Vec<Row>, Refusal>> {
        let mut answer = Ok(Vec::new());
        loop {
            let (kind, body) = match self.receive() {
                // The error was the session's last word.
                Err(_) if answer.is_err() => return Ok(answer),
                received => received?,
            };
            match (kind, &mut answer) {
                (b'D', Ok(rows)) => rows.push(row(&body)),
                (b'E', _) => answer = Err(refusal(&body)),
                (b'Z', _) => return Ok(answer),
                _ => {}
            }
        }
    }

    /// The one value of a query.
    #[track_caller]
    pub fn one(&mut self, sql: &str) -> Option<String> {
        let mut rows = self.query(sql).unwrap_or_else(|refusal| panic!("{sql}: {refusal:?}"));
        rows.pop().unwrap().pop().unwrap()
    }

    #[track_caller]
    pub fn run(&mut self, sql: &str) {
        if let Err(refusal) = self.query(sql) {
            panic!("{sql}: {refusal:?}");
        }
    }

    /// Asserts that a query fails with this SQLSTATE and message.
    #[track_caller]
    pub fn refuses(&mut self, sql: &str, sqlstate: &str, message: &str) {
        let refusal = self.query(sql).unwrap_err();
        assert_eq!(
            (refusal.sqlstate.as_str(), refusal.message.as_str()),
            (sqlstate, message),
            "{refusal:?}"
        );
    }

    fn send(&mut self, kind: Option<u8>, body: &[u8]) -> io::Result<()> {
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        message.extend(body);
        self.stream.get_mut().write_all(&message)
    }

    fn receive(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes(*head.last_chunk().unwrap());
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        self.stream.read_exact(&mut body)?;
        Ok((head[0], body))
    }
}

fn row(body: &[u8]) -> Row {
    let (columns, mut rest) = body.split_first_chunk().unwrap();
    let mut row = Vec::new();
    for _ in 0..u16::from_be_bytes(*columns) {
        let (length, after) = rest.split_first_chunk().unwrap();
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            row.push(None);
            rest = after;
            continue;
        };
        let (value, after) = after.split_at(length);
        row.push(Some(String::from_utf8(value.to_vec()).unwrap()));
        rest = after;
    }
    row
}

/// The fields of an ErrorResponse: a letter and a text each.
fn refusal(body: &[u8]) -> Refusal {
    let fields: Vec<String> = body
        .split(|byte| *byte == 0)
        .map(|field| String::from_utf8(field.to_vec()).unwrap())
        .collect();
    let field = |letter: char| {
        fields
            .iter()
            .find_map(|field| field.strip_prefix(letter))
            .map(str::to_owned)
    };
    Refusal {
        sqlstate: field('C').unwrap_or_default(),
        message: field('M').unwrap_or_default(),
        detail: field('D'),
        hint: field('H'),
    }
}

/// The server hung up.
fn broken(error: &io::Error) -> Refusal {
    Refusal {
        sqlstate: "closed".to_owned(),
        message: error.to_string(),
        detail: None,
        hint: None,
    }
}
