//! Ports for servers that get theirs as an option.

use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};

/// A port that no other caller in this process gets, and on which nothing listens.
///
/// It is below those that the system gives to port 0 and to outgoing connections (32768 and above, `ip_local_port_range`).
/// Another program could take one of these before the server does.
///
/// The port is tried by connecting and not by listening. A child that another thread starts meanwhile holds a copy of a
/// listener until it executes its program, and so seems to be the server.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(7919) % 20_000 + GIVEN.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(10_000 + number % 20_000).unwrap();
        if TcpStream::connect(("127.0.0.1", port)).is_err() {
            return port;
        }
    }
}
