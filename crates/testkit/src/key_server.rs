//! An HTTP server on loopback that serves a key set, as a provider would, or misbehaves.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::ports::free_port;

/// The answer to each request.
#[derive(Clone)]
pub enum Answer {
    /// 200 with this body.
    Body(String),
    /// 200 with these further header lines (each with its line break) and this body.
    With(&'static str, String),
    /// 200 with this body, which need not be text.
    Bytes(Vec<u8>),
    /// These bytes: a status line, header lines, an empty line and a body.
    Raw(String),
    /// 200 with this body and a Content-Length that is one byte too large.
    Cut(String),
    /// Like `Body`, after this time.
    Later(Duration, String),
    /// This status, with no body.
    Status(u16),
    /// This status, with this body.
    StatusWith(u16, String),
    /// One after the other; the last one is repeated.
    Steps(Vec<Answer>),
    /// For each of these paths its answer, and 404 for any other.
    Paths(Vec<(String, Answer)>),
    /// A redirect to this address.
    Redirect(String),
    /// A head, and then a byte of the body in each second.
    Slow,
    /// A body that does not end.
    Endless,
    /// The connection is closed at once.
    Nothing,
    /// No answer; the connection stays open.
    Silence,
}

/// A stream for requests and answers.
pub trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}

/// Makes a [`Connection`] of an accepted stream, with or without TLS.
pub type Transport = Box<dyn Fn(TcpStream) -> Box<dyn Connection> + Send + Sync>;

pub struct KeyServer {
    scheme: &'static str,
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    transport: Transport,
    answer: Mutex<Answer>,
    /// The heads of the requests, in order.
    heads: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

impl KeyServer {
    pub fn start(answer: Answer) -> KeyServer {
        KeyServer::start_at(free_port(), answer)
    }

    /// Like [`KeyServer::start`] on the port of an earlier server, for a provider that is reachable again.
    pub fn start_at(port: u16, answer: Answer) -> KeyServer {
        KeyServer::start_over("http", Box::new(|stream| Box::new(stream)), port, answer)
    }

    /// Like [`KeyServer::start_at`] over another transport, with its URL scheme.
    pub fn start_over(scheme: &'static str, transport: Transport, port: u16, answer: Answer) -> KeyServer {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            transport,
            answer: Mutex::new(answer),
            heads: Mutex::new(Vec::new()),
            stopped: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if for_thread.stopped.load(SeqCst) {
                    return;
                }
                let shared = Arc::clone(&for_thread);
                std::thread::spawn(move || shared.serve(stream.unwrap()));
            }
        });
        KeyServer { scheme, port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        self.url_at("127.0.0.1", "/keys")
    }

    /// A URL of this server; every path has the same answer, unless it is [`Answer::Paths`].
    pub fn url_at(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.port)
    }

    pub fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// The number of requests so far.
    pub fn requests(&self) -> usize {
        self.shared.heads.lock().unwrap().len()
    }

    /// The paths of all requests so far.
    pub fn paths(&self) -> Vec<String> {
        let path = |head: &String| head.split(' ').nth(1).unwrap().to_owned();
        self.heads().iter().map(path).collect()
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap().clone()
    }

    /// Waits for this number of requests.
    #[track_caller]
    pub fn wait_for_requests(&self, requests: usize) {
        wait_until("the requests", || self.requests() >= requests);
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        // Wakes the listener, which then closes its port.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        wait_until("the port to close", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_err()
        });
    }
}

impl Shared {
    /// Ignores errors of the connection: the client may close it at any time, and does so if it rejects the certificate.
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new((self.transport)(stream));
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            match reader.read_line(&mut request) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        let path = request.split(' ').nth(1).unwrap().to_owned();
        self.heads.lock().unwrap().push(request);
        let answer = next(&mut self.answer.lock().unwrap(), &path);
        let _ = respond(reader.into_inner(), &answer);
    }
}

/// The answer to a request for this path.
fn next(answer: &mut Answer, path: &str) -> Answer {
    match answer {
        Answer::Steps(steps) if steps.len() > 1 => steps.remove(0),
        Answer::Paths(paths) => match paths.iter_mut().find(|(it, _)| it == path) {
            Some((_, answer)) => next(answer, path),
            None => Answer::Status(404),
        },
        answer => answer.clone(),
    }
}

/// Writes an answer to anything that takes bytes.
fn respond(mut to: impl Write, answer: &Answer) -> std::io::Result<()> {
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\n{more}");
    let mut whole = |status: &str, more: &str, body: &[u8]| {
        write!(to, "{}Content-Length: {}\r\n\r\n", head(status, more), body.len())?;
        to.write_all(body)
    };
    match answer {
        Answer::Body(body) => whole("200 OK", "", body.as_bytes()),
        Answer::Bytes(body) => whole("200 OK", "", body),
        Answer::Raw(text) => to.write_all(text.as_bytes()),
        Answer::Later(time, body) => {
            std::thread::sleep(*time);
            whole("200 OK", "", body.as_bytes())
        }
        Answer::With(more, body) => whole("200 OK", more, body.as_bytes()),
        Answer::Status(status) => whole(&format!("{status} Status"), "", b""),
        Answer::StatusWith(status, body) => whole(&format!("{status} Status"), "", body.as_bytes()),
        Answer::Redirect(location) => whole("302 Found", &format!("Location: {location}\r\n"), b""),
        Answer::Steps(steps) => respond(to, &steps[0]),
        Answer::Paths(_) => respond(to, &Answer::Status(404)),
        Answer::Cut(body) => {
            let length = body.len() + 1;
            write!(to, "{}Content-Length: {length}\r\n\r\n{body}", head("200 OK", ""))
        }
        Answer::Slow => {
            write!(to, "{}Content-Length: 1000\r\n\r\n", head("200 OK", ""))?;
            loop {
                to.write_all(b" ")?;
                to.flush()?;
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        Answer::Endless => {
            write!(to, "{}\r\n", head("200 OK", ""))?;
            loop {
                to.write_all(&[b' '; 4096])?;
            }
        }
        Answer::Nothing => Ok(()),
        Answer::Silence => {
            std::thread::sleep(Duration::from_secs(30));
            Ok(())
        }
    }
}

/// Waits at most half a minute.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
