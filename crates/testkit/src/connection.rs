//! Whole messages of PostgreSQL's protocol, sent and received. `postgres-protocol` makes them and cuts them apart.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bytes::BufMut as _;
pub use bytes::BytesMut;
pub use postgres_protocol::IsNull;
use postgres_protocol::message::backend::Header;
pub use postgres_protocol::message::frontend;

/// A connection that sends and receives whole messages.
pub struct Connection {
    stream: TcpStream,
    received: BytesMut,
}

impl Connection {
    /// Connects and sends the startup packet.
    pub fn open(port: u16, parameters: &[(&str, &str)]) -> io::Result<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        stream.set_nodelay(true)?;
        let mut connection = Connection {
            stream,
            received: BytesMut::new(),
        };
        connection.send(|buffer| frontend::startup_message(parameters.iter().copied(), buffer))?;
        Ok(connection)
    }

    /// Sends the messages that `write` puts into the buffer.
    pub fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = BytesMut::new();
        write(&mut buffer)?;
        self.stream.write_all(&buffer)
    }

    /// The next message, with its header.
    pub fn receive(&mut self) -> io::Result<BytesMut> {
        loop {
            if let Some(header) = Header::parse(&self.received)? {
                let length = usize::try_from(header.len()).unwrap() + 1;
                if self.received.len() >= length {
                    return Ok(self.received.split_to(length));
                }
            }
            let mut chunk = [0; 8192];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.received.extend_from_slice(&chunk[..read]),
                // A socket with a timeout returns this even where the signal's handler restarts system calls (signal(7)).
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The message FunctionCall: text arguments and a text result. By hand, since `postgres-protocol` does not have it.
pub fn function_call(function: u32, arguments: &[&str], buffer: &mut BytesMut) -> io::Result<()> {
    let mut body = BytesMut::new();
    body.put_u32(function);
    body.put_i16(0);
    body.put_i16(i16::try_from(arguments.len()).map_err(io::Error::other)?);
    for argument in arguments {
        body.put_i32(i32::try_from(argument.len()).map_err(io::Error::other)?);
        body.put_slice(argument.as_bytes());
    }
    body.put_i16(0);
    buffer.put_u8(b'F');
    buffer.put_i32(i32::try_from(body.len() + 4).map_err(io::Error::other)?);
    buffer.put_slice(&body);
    Ok(())
}
