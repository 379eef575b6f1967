//! Probes of the other end of a connection, without which one that has lost its network is never noticed.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// After so long without a byte the first probe is sent, then one after each interval. After the last the connection ends.
const IDLE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

/// Sends what is written at once, and probes while nothing is sent. A WebSocket may be idle for ever, and so may PostgreSQL
/// be while a query runs.
pub fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let probes = TcpKeepalive::new()
        .with_time(IDLE)
        .with_interval(INTERVAL)
        .with_retries(PROBES);
    SockRef::from(stream).set_tcp_keepalive(&probes)
}
