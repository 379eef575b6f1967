//! A client of the gateway that costs as little as possible: a socket, a request made in advance, and no parser of JSON.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::load::Client;
use crate::setting::{ROLE, ROW, STATEMENT};

pub struct Http {
    stream: TcpStream,
    /// The request before its token, and after it.
    before: String,
    after: String,
    /// How many statements the request has.
    statements: usize,
    request: Vec<u8>,
    response: Vec<u8>,
}

impl Http {
    /// A client of the gateway at this port. A request of several statements is a batch.
    pub fn connect(port: u16, database: &str, statements: usize) -> Http {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let statement = format!(r#"{{"query":"{STATEMENT}","params":["{ROW}"]}}"#);
        let body = match statements {
            1 => statement,
            _ => format!(r#"{{"queries":[{}]}}"#, vec![statement; statements].join(",")),
        };
        // The headers of Neon's driver.
        let before = format!(
            "POST /sql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Neon-Connection-String: postgresql://{ROLE}@127.0.0.1/{database}\r\n\
             Neon-Raw-Text-Output: true\r\nNeon-Array-Mode: true\r\nAuthorization: Bearer "
        );
        Http {
            stream,
            before,
            after: format!("\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
            statements,
            request: Vec::new(),
            response: vec![0; 16 * 1024],
        }
    }
}

impl Client for Http {
    fn request(&mut self, token: &str) {
        self.request.clear();
        for part in [&self.before, token, &self.after] {
            self.request.extend_from_slice(part.as_bytes());
        }
        self.stream.write_all(&self.request).unwrap();
        let mut length = 0;
        let response = loop {
            let read = self.stream.read(&mut self.response[length..]).unwrap();
            assert_ne!(read, 0, "the gateway has closed the connection");
            length += read;
            let response = std::str::from_utf8(&self.response[..length]).unwrap();
            if let Some(end) = end(response) {
                assert_eq!(length, end, "more than the response: {response}");
                break response;
            }
        };
        let rows = response.matches(r#""rowCount":1,"#).count();
        assert!(
            response.starts_with("HTTP/1.1 200 ") && rows == self.statements,
            "{response}"
        );
    }
}

/// The length of a response, if all its headers are there.
fn end(response: &str) -> Option<usize> {
    const LENGTH: &str = "\r\ncontent-length: ";
    let head = response.find("\r\n\r\n")? + 4;
    let value = &response[response.find(LENGTH).expect("Content-Length") + LENGTH.len()..head];
    let body: usize = value.split("\r\n").next()?.parse().unwrap();
    (response.len() >= head + body).then_some(head + body)
}
