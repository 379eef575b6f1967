//! A relay in front of PostgreSQL, in place of a network with a delay. Each part arrives so much later, in its order, and any
//! number of parts is on the way. It also counts round trips. (netem(8) delays too, but needs root and its kernel module.)

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub struct Relay {
    pub port: u16,
    traffic: Arc<Traffic>,
}

#[derive(Default)]
struct Traffic {
    /// How often a client has sent something after it had received something.
    round_trips: AtomicU64,
    is_recording: AtomicBool,
    sent: Mutex<Vec<u8>>,
}

impl Relay {
    /// Relays to this port, with a delay in each direction, until the process ends.
    pub fn start(target: u16, delay: Duration) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let traffic = Arc::new(Traffic::default());
        let shared = traffic.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                connect(client.unwrap(), target, delay, &shared).unwrap();
            }
        });
        Relay { port, traffic }
    }

    /// The round trips of all connections so far.
    pub fn round_trips(&self) -> u64 {
        self.traffic.round_trips.load(Ordering::SeqCst)
    }

    /// The bytes that clients send during `work`.
    pub fn sent_during(&self, work: impl FnOnce()) -> Vec<u8> {
        self.traffic.is_recording.store(true, Ordering::SeqCst);
        work();
        self.traffic.is_recording.store(false, Ordering::SeqCst);
        std::mem::take(&mut self.traffic.sent.lock().unwrap())
    }
}

fn connect(client: TcpStream, target: u16, delay: Duration, traffic: &Arc<Traffic>) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", target))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    // Whether the client has received something since it has sent something.
    let answered = Arc::new(AtomicBool::new(true));
    let (traffic, seen) = (traffic.clone(), answered.clone());
    let from_client = move |bytes: &[u8]| {
        if seen.swap(false, Ordering::SeqCst) {
            traffic.round_trips.fetch_add(1, Ordering::SeqCst);
        }
        if traffic.is_recording.load(Ordering::SeqCst) {
            traffic.sent.lock().unwrap().extend_from_slice(bytes);
        }
    };
    let from_server = move |_: &[u8]| answered.store(true, Ordering::SeqCst);
    forward(client.try_clone()?, server.try_clone()?, delay, from_client);
    forward(server, client, delay, from_server);
    Ok(())
}

/// Forwards what comes from one side until its end.
fn forward(mut from: TcpStream, mut to: TcpStream, delay: Duration, notice: impl Fn(&[u8]) + Send + 'static) {
    let (send, parts) = channel();
    if !delay.is_zero() {
        let to = to.try_clone().unwrap();
        thread::spawn(move || write_when_due(&parts, to));
    }
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(read) => read,
            };
            notice(&buffer[..read]);
            let sent = match delay.is_zero() {
                true => to.write_all(&buffer[..read]).is_ok(),
                false => send.send((Instant::now() + delay, buffer[..read].to_vec())).is_ok(),
            };
            if !sent {
                break;
            }
        }
        if delay.is_zero() {
            let _ = to.shutdown(Shutdown::Write);
        }
    });
}

fn write_when_due(parts: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (due, part) in parts {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&part).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
