//! An HTTP server on loopback that serves a key set, as a provider would, or misbehaves.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What is answered.
#[derive(Clone)]
pub enum Answer {
    /// 200 with this body.
    Body(String),
    /// 200 with these further header lines (each with its line break) and this body.
    With(&'static str, String),
    /// This status, with no body.
    Status(u16),
    /// A redirect to this address.
    Redirect(String),
    /// A head, and then a byte of the body in each second.
    Slow,
    /// A body that does not end.
    Endless,
    /// The connection is closed at once.
    Nothing,
    /// Nothing is said, and the connection stays open.
    Silence,
}

pub struct KeyServer {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Mutex<Answer>,
    requests: AtomicUsize,
    stopped: AtomicBool,
}

impl KeyServer {
    pub fn start(answer: Answer) -> KeyServer {
        KeyServer::start_at(0, answer)
    }

    /// On a port that another one had before, for a provider that comes back.
    pub fn start_at(port: u16, answer: Answer) -> KeyServer {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            answer: Mutex::new(answer),
            requests: AtomicUsize::new(0),
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
        KeyServer { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/keys", self.port)
    }

    pub fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// How often it was asked.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(SeqCst)
    }

    /// Waits until it has been asked so often.
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
    /// Errors are the client's: it may go away at any time.
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
            line.clear();
        }
        self.requests.fetch_add(1, SeqCst);
        let answer = self.answer.lock().unwrap().clone();
        let _ = respond(stream, &answer);
    }
}

/// Writes an answer to anything that takes bytes.
pub fn respond(mut to: impl std::io::Write, answer: &Answer) -> std::io::Result<()> {
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\n{more}");
    match answer {
        Answer::Body(body) => write!(to, "{}Content-Length: {}\r\n\r\n{body}", head("200 OK", ""), body.len()),
        Answer::With(more, body) => write!(
            to,
            "{}Content-Length: {}\r\n\r\n{body}",
            head("200 OK", more),
            body.len()
        ),
        Answer::Status(status) => write!(to, "{}Content-Length: 0\r\n\r\n", head(&format!("{status} Status"), "")),
        Answer::Redirect(location) => {
            write!(
                to,
                "{}Location: {location}\r\nContent-Length: 0\r\n\r\n",
                head("302 Found", "")
            )
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

/// Waits, for half a minute at most.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
