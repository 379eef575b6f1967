//! The driver's protocol by WebSocket, message by message. Its own tests with the driver are in drivers.rs.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use rstest::rstest;
use testkit::server::Server;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::protocol::Role;
use tungstenite::{Error, WebSocket};

use crate::running::Gateway;
use crate::{ALICE, BOB, SERVER, create_login, database, database_of, settings, token};

pub struct Socket {
    socket: WebSocket<TcpStream>,
    received: BytesMut,
}

pub type Rows = Vec<Vec<Option<String>>>;

impl Socket {
    pub fn open(gateway: &Gateway) -> Socket {
        Socket::try_open(gateway, None).unwrap()
    }

    /// The status of the response, if it is not the beginning of a WebSocket.
    fn try_open(gateway: &Gateway, origin: Option<&str>) -> Result<Socket, u16> {
        let stream = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut request = format!("ws://127.0.0.1:{}/v2", gateway.port)
            .into_client_request()
            .unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("Origin", origin.parse().unwrap());
        }
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Socket {
                socket,
                received: BytesMut::new(),
            }),
            Err(tungstenite::HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.socket.send(tungstenite::Message::binary(bytes.to_vec())).unwrap();
    }

    /// The next message; None at the end.
    fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.received).unwrap() {
                return Some(message);
            }
            match self.socket.read() {
                Ok(tungstenite::Message::Binary(bytes)) => self.received.extend_from_slice(&bytes),
                Ok(tungstenite::Message::Close(_)) | Err(Error::ConnectionClosed | Error::Protocol(_)) => return None,
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Messages up to ReadyForQuery: the rows, or the SQLSTATE of an error.
    pub fn rows(&mut self) -> Result<Rows, String> {
        let mut rows = Vec::new();
        let mut error = None;
        loop {
            match self.next() {
                Some(Message::DataRow(body)) => {
                    let text = |range: Option<std::ops::Range<usize>>| {
                        Ok(range.map(|range| String::from_utf8(body.buffer()[range].to_vec()).unwrap()))
                    };
                    rows.push(body.ranges().map(text).collect().unwrap());
                }
                Some(Message::ErrorResponse(body)) => {
                    let code = body.fields().find(|field| Ok(field.type_() == b'C')).unwrap().unwrap();
                    error = Some(String::from_utf8(code.value_bytes().to_vec()).unwrap());
                }
                Some(Message::ReadyForQuery(_)) => return error.map_or(Ok(rows), Err),
                Some(_) => {}
                None => return Err(error.unwrap_or_else(|| "end".to_owned())),
            }
        }
    }

    pub fn query(&mut self, sql: &str) -> Result<Rows, String> {
        let mut bytes = BytesMut::new();
        frontend::query(sql, &mut bytes).unwrap();
        self.send(&bytes);
        self.rows()
    }
}

/// What a driver sends at the start.
pub fn start(role: &str, password: &str, more: &[(&str, &str)]) -> BytesMut {
    let mut bytes = BytesMut::new();
    let parameters = [("user", role)].into_iter().chain(more.iter().copied());
    frontend::startup_message(parameters, &mut bytes).unwrap();
    frontend::password_message(password.as_bytes(), &mut bytes).unwrap();
    bytes
}

/// A session of this person.
pub fn session(gateway: &Gateway, user: &str) -> Socket {
    let mut socket = Socket::open(gateway);
    socket.send(&start("authenticated", &token(user, 600), &[]));
    assert_eq!(socket.rows(), Ok(vec![]));
    socket
}

pub fn row(texts: &[&str]) -> Rows {
    vec![texts.iter().map(|text| Some((*text).to_owned())).collect()]
}

/// How many connections the gateway has in this database.
pub fn sessions_in(database: &str) -> i64 {
    let mut admin = SERVER.connect("postgres", "postgres", "");
    let count = "select count(*) from pg_stat_activity where usename = 'jwt_gateway' and datname = $1";
    admin.query_one(count, &[&database]).unwrap().get(0)
}

/// PostgreSQL notices the end of a connection within a moment, but not while it runs a statement.
#[track_caller]
pub fn no_session_remains_in(database: &str) {
    let begin = Instant::now();
    while sessions_in(database) > 0 {
        assert!(begin.elapsed() < Duration::from_secs(10), "a session remains");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn two_people_in_transactions() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let (mut alice, mut bob) = (session(&gateway, ALICE), session(&gateway, BOB));
    assert_eq!(alice.query("begin; insert into todos (task) values ('a')"), Ok(vec![]));
    assert_eq!(
        bob.query("select auth.user_id(), current_user, count(*) from todos"),
        Ok(row(&[BOB, "authenticated", "0"]))
    );
    assert_eq!(
        alice.query("commit; select auth.user_id(), task from todos"),
        Ok(row(&[ALICE, "a"]))
    );
    assert_eq!(bob.query("select task from todos"), Ok(vec![]));
    assert_eq!(bob.query("select 1/0"), Err("22012".to_owned()));
    // Without role and identity a session is the bare login.
    assert_eq!(
        bob.query("reset role; select count(*) from todos"),
        Err("42501".to_owned())
    );
}

/// Frames cut the bytes anywhere, and a query can be among the first.
#[test]
fn frames_cut_anywhere() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let mut bytes = start(
        "authenticated",
        &token(ALICE, 600),
        &[("client_encoding", "UTF8"), ("TimeZone", "Asia/Tokyo")],
    );
    frontend::query("select auth.user_id(), current_setting('timezone')", &mut bytes).unwrap();
    for size in [1, 7, bytes.len()] {
        let mut socket = Socket::open(&gateway);
        for frame in bytes.chunks(size) {
            socket.send(frame);
        }
        assert_eq!(socket.rows(), Ok(vec![]));
        assert_eq!(socket.rows(), Ok(row(&[ALICE, "Asia/Tokyo"])));
    }
}

/// attack: 60, 85, 145
#[rstest]
#[case("authenticated", "", &[], "28000")]
#[case("authenticated", "x", &[], "28000")]
#[case("anonymous", "x", &[], "28000")]
#[case("jwt_gateway", "x", &[], "28000")]
#[case("postgres", "", &[], "28000")]
#[case("anonymous", "", &[("database", "postgres")], "3D000")]
#[case("anonymous", "", &[("options", "-c role=postgres")], "0A000")]
#[case("anonymous", "", &[("options", "-c pg_session_jwt.jwk={}")], "0A000")]
#[case("anonymous", "", &[("pg_session_jwt.jwk", "{}")], "0A000")]
#[case("anonymous", "", &[("request.jwt.claims", "{}")], "0A000")]
#[case("anonymous", "", &[("session_authorization", "postgres")], "0A000")]
#[case("anonymous", "", &[("replication", "true")], "0A000")]
#[case("anonymous", "", &[("DateStyle", "nonsense")], "22023")]
fn rejected_starts(#[case] role: &str, #[case] password: &str, #[case] more: &[(&str, &str)], #[case] code: &str) {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let mut socket = Socket::open(&gateway);
    socket.send(&start(role, password, more));
    assert_eq!(socket.rows(), Err(code.to_owned()));
}

#[test]
fn an_expired_token() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let mut socket = Socket::open(&gateway);
    socket.send(&start("authenticated", &token(ALICE, -600), &[]));
    assert_eq!(socket.rows(), Err("28000".to_owned()));
}

#[test]
fn a_visitor_needs_no_token() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let mut socket = Socket::open(&gateway);
    socket.send(&start("anonymous", "", &[]));
    assert_eq!(socket.rows(), Ok(vec![]));
    assert_eq!(
        socket.query("select notice, current_user from notices"),
        Ok(row(&["hello", "anonymous"]))
    );
}

/// Much in both directions at the same time.
#[test]
fn ten_megabytes_each_way() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let mut alice = session(&gateway, ALICE);
    let text = "a".repeat(10_000_000);
    let mut bytes = BytesMut::new();
    for _ in 0..3 {
        frontend::query(&format!("select '{text}'"), &mut bytes).unwrap();
    }
    // A client that sends all before it reads waits for ever when no buffer has room for the answers.
    let stream = alice.socket.get_ref().try_clone().unwrap();
    let mut sender = WebSocket::from_raw_socket(stream, Role::Client, None);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for frame in bytes.chunks(1_000_000) {
                sender.send(tungstenite::Message::binary(frame.to_vec())).unwrap();
            }
        });
        for _ in 0..3 {
            assert!(alice.rows() == Ok(row(&[&text])), "another text");
        }
    });
}

#[test]
fn a_query_is_cancelled_by_the_key_of_its_socket() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let mut socket = Socket::open(&gateway);
    socket.send(&start("authenticated", &token(ALICE, 600), &[]));
    let (mut pid, mut secret) = (0, 0);
    loop {
        match socket.next().unwrap() {
            Message::BackendKeyData(body) => (pid, secret) = (body.process_id(), body.secret_key()),
            Message::ReadyForQuery(_) => break,
            _ => {}
        }
    }
    let server_pid = socket.query("select pg_backend_pid()").unwrap();
    assert_ne!(
        server_pid,
        row(&[&pid.to_string()]),
        "PostgreSQL's own key is not for clients"
    );
    let mut bytes = BytesMut::new();
    frontend::query("select pg_sleep(60)", &mut bytes).unwrap();
    socket.send(&bytes);
    std::thread::sleep(Duration::from_millis(200));
    for (pid, secret) in [(pid, secret.wrapping_add(1)), (pid, secret)] {
        let mut bytes = BytesMut::new();
        frontend::cancel_request(pid, secret, &mut bytes);
        let mut other = Socket::open(&gateway);
        other.send(&bytes);
        assert!(other.next().is_none());
    }
    assert_eq!(socket.rows(), Err("57014".to_owned()));
    assert_eq!(socket.query("select auth.user_id()"), Ok(row(&[ALICE])));
}

#[test]
fn the_session_ends_with_its_client() {
    let database = database();
    let gateway = Gateway::start(&SERVER, &database, &[]);
    let mut alice = session(&gateway, ALICE);
    let mut bytes = BytesMut::new();
    frontend::query("select pg_sleep(60)", &mut bytes).unwrap();
    alice.send(&bytes);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(sessions_in(&database), 1);
    drop(alice);
    no_session_remains_in(&database);
}

#[test]
fn the_client_reads_why_postgresql_ends_a_session() {
    let mut server = Server::start(&settings());
    create_login(&server);
    let database = database_of(&server);
    let gateway = Gateway::start(&server, &database, &[]);
    let mut alice = session(&gateway, ALICE);
    server.restart();
    assert_eq!(alice.rows(), Err("57P01".to_owned()));
}

#[test]
fn limits_of_sockets() {
    let gateway = Gateway::start(
        &SERVER,
        &database(),
        &["--max-websockets=1", "--allow-origin=https://app.example"],
    );
    assert_eq!(
        Socket::try_open(&gateway, Some("https://evil.example")).err(),
        Some(403)
    );
    let first = Socket::try_open(&gateway, Some("https://app.example"));
    assert!(first.is_ok());
    assert_eq!(Socket::try_open(&gateway, None).err(), Some(503));
    drop(first);
    for _ in 0..100 {
        if Socket::try_open(&gateway, None).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the place is not free again");
}

#[test]
fn a_start_that_does_not_come() {
    let gateway = Gateway::start(&SERVER, &database(), &["--client-timeout=0.5", "--connect-timeout=0.5"]);
    let mut socket = Socket::open(&gateway);
    assert_eq!(socket.rows(), Err("57014".to_owned()));
}

#[test]
fn text_frames_are_rejected() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let mut socket = Socket::open(&gateway);
    socket.socket.send(tungstenite::Message::text("select 1")).unwrap();
    assert_eq!(socket.rows(), Err("08P01".to_owned()));
}
