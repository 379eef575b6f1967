//! TCP connections to a host with several addresses: IPv6 and IPv4 race, so that one of them may be broken (RFC 8305).

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Timeout;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};

/// The limit for all addresses together.
pub const CONNECT: Duration = Duration::from_secs(2);
/// After this time without a connection the next address is tried as well (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first address that answers.
#[derive(Debug)]
pub struct Race {
    /// The end of everything that is sent and received by the connection.
    pub deadline: Instant,
}

impl<In: Transport> Connector<In> for Race {
    type Out = Either<In, Tcp>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        // The connection of a proxy.
        if let Some(transport) = chained {
            return Ok(Some(Either::A(transport)));
        }
        let within = CONNECT.min(*details.timeout.after).min(left(self.deadline)?);
        let stream = first_of(alternating(&details.addrs), within)?;
        stream.set_nodelay(true)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(Tcp {
            stream,
            buffers,
            deadline: self.deadline,
        })))
    }
}

/// The addresses with their families in turn, in the resolver's order within each (RFC 8305 §4).
fn alternating(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_first_family = |address: &SocketAddr| addresses.first().is_some_and(|it| it.is_ipv6() == address.is_ipv6());
    let (first, second): (Vec<SocketAddr>, Vec<SocketAddr>) = addresses.iter().copied().partition(is_first_family);
    let longest = first.len().max(second.len());
    (0..longest)
        .flat_map(|index| [first.get(index), second.get(index)])
        .flatten()
        .copied()
        .collect()
}

fn first_of(addresses: Vec<SocketAddr>, within: Duration) -> Result<TcpStream, ureq::Error> {
    let deadline = Instant::now() + within;
    let left = || deadline.saturating_duration_since(Instant::now());
    let (results, outcomes) = channel();
    let mut addresses = addresses.into_iter();
    let mut running = 0;
    let mut failure = ureq::Error::HostNotFound;
    loop {
        let begun = addresses.next().map(|address| begin(address, left(), results.clone()));
        match begun {
            Some(Ok(())) => running += 1,
            Some(Err(error)) => failure = error.into(),
            None if running == 0 => return Err(failure),
            None => {}
        }
        let is_last = addresses.len() == 0;
        match outcomes.recv_timeout(if is_last { left() } else { HEAD_START.min(left()) }) {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => {
                running -= 1;
                failure = error.into();
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) if left().is_zero() => {
                return Err(ureq::Error::Timeout(Timeout::Connect));
            }
            Err(_) => {}
        }
    }
}

/// Connects in a thread, which ends within the time even if its result is no longer needed.
fn begin(address: SocketAddr, within: Duration, results: Sender<io::Result<TcpStream>>) -> io::Result<()> {
    // Zero is not a limit.
    let within = within.max(Duration::from_millis(1));
    let connect = move || {
        // After another address has answered, there is no receiver.
        let _ = results.send(TcpStream::connect_timeout(&address, within));
    };
    thread::Builder::new()
        .name("key set".to_owned())
        .spawn(connect)
        .map(drop)
}

/// A connection, with the time limits of each step, and one for all of them. TLS and proxies take as many steps as the other
/// side makes them take.
#[derive(Debug)]
pub struct Tcp {
    stream: TcpStream,
    buffers: LazyBuffers,
    deadline: Instant,
}

impl Transport for Tcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.set_write_timeout(Some(self.limit(timeout)?))?;
        let output = self.buffers.output();
        let sent = self.stream.write_all(output.get(..amount).unwrap_or_default());
        sent.map_err(|error| in_time(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.set_read_timeout(Some(self.limit(timeout)?))?;
        let received = self.stream.read(self.buffers.input_append_buf());
        let received = received.map_err(|error| in_time(error, timeout))?;
        self.buffers.input_appended(received);
        Ok(received > 0)
    }

    /// Each connection has one request.
    fn is_open(&mut self) -> bool {
        false
    }
}

impl Tcp {
    /// The time limit of a step, which is never zero.
    fn limit(&self, timeout: NextTimeout) -> Result<Duration, ureq::Error> {
        let left = left(self.deadline)?;
        Ok(timeout.not_zero().map_or(left, |limit| left.min(*limit)))
    }
}

/// The time until the deadline, which is never zero.
fn left(deadline: Instant) -> Result<Duration, ureq::Error> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        Err(ureq::Error::Timeout(Timeout::Global))
    } else {
        Ok(left)
    }
}

/// The error of a step, which may have taken too long.
fn in_time(error: io::Error, timeout: NextTimeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}
