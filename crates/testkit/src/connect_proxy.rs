//! An HTTP proxy on loopback that connects to a local server for each host, as if its name led there (RFC 9110 §9.3.6).

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A proxy that runs until the process ends.
pub struct ConnectProxy {
    port: u16,
}

impl ConnectProxy {
    /// A proxy that knows these hosts, each with the port of its local server.
    pub fn start(hosts: HashMap<String, u16>) -> ConnectProxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let hosts = Arc::new(hosts);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let hosts = Arc::clone(&hosts);
                // Either side may close its connection at any time.
                thread::spawn(move || stream.and_then(|stream| tunnel(stream, &hosts)));
            }
        });
        ConnectProxy { port }
    }

    /// Its address, as `HTTPS_PROXY` has it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Connects a client with the server that it asks for: a known host at the port of https.
fn tunnel(stream: TcpStream, hosts: &HashMap<String, u16>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
    }
    // The client sends nothing more before the answer, so that the reader has nothing left.
    let mut client = reader.into_inner();
    let authority = request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let port = authority.and_then(|authority| hosts.get(authority.strip_suffix(":443")?));
    let Some(port) = port else {
        return client.write_all(b"HTTP/1.1 502 Unknown host\r\nContent-Length: 0\r\n\r\n");
    };
    let server = TcpStream::connect(("127.0.0.1", *port))?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || copy(from_client, to_server));
    copy(server, client)
}

/// Copies until the end, which is then that of the other side too.
fn copy(mut from: TcpStream, mut to: TcpStream) -> std::io::Result<()> {
    std::io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
