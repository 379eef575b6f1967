//! Servers that are not PostgreSQL, and want to learn or to bypass the password.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use rstest::rstest;

use super::does_not_start_at;

const CLEAR_TEXT: &[u8] = b"R\0\0\0\x08\0\0\0\x03";
const SASL: &[u8] = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";
const OK_AND_READY: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// Accepts one connection. The result is what was received after `conversation`.
fn impostor(
    conversation: impl FnOnce(&mut TcpStream) -> std::io::Result<()> + Send + 'static,
) -> (String, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        conversation(&mut stream).unwrap();
        let mut rest = Vec::new();
        // A connection that is reset has an end too.
        let _ = stream.read_to_end(&mut rest);
        rest
    });
    (address, thread)
}

fn does_not_start_with_password(address: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let file = std::env::temp_dir().join(format!("gateway-{}-password-{number}", std::process::id()));
    std::fs::write(&file, "pass word\n").unwrap();
    let error = does_not_start_at(address, "app", &["--password-file", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    error
}

/// A message of the gateway.
fn message(stream: &mut TcpStream, kind: Option<u8>) -> std::io::Result<Vec<u8>> {
    if let Some(kind) = kind {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        assert_eq!(byte[0], kind);
    }
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// What was sent before TLS is not taken for a part of the TLS session (CVE-2021-23222).
#[test]
fn bytes_before_tls() {
    let (address, end) = impostor(|stream| {
        message(stream, None)?;
        stream.write_all(b"S")?;
        stream.write_all(OK_AND_READY)
    });
    does_not_start_at(&address, "app", &[]);
    let received = end.join().unwrap();
    // A TLS record of a handshake, with no start-up message after it.
    assert_eq!(received.first(), Some(&0x16));
    assert!(!received.windows(11).any(|part| part == b"jwt_gateway"));
}

#[test]
fn a_password_as_clear_text_without_tls() {
    let (address, end) = impostor(|stream| {
        message(stream, None)?;
        stream.write_all(b"N")?;
        message(stream, None)?;
        stream.write_all(CLEAR_TEXT)
    });
    let error = does_not_start_with_password(&address);
    assert!(error.contains("asks for the password as clear text"), "{error}");
    assert_eq!(end.join().unwrap(), b"");
}

/// A server that does not know the password cannot sign what both have said.
#[rstest]
#[case::without_a_final_message(None, "unexpected message")]
#[case::with_another_signature(
    Some("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    "PostgreSQL does not know the password"
)]
#[case::with_an_error(Some("e=other-error"), "PostgreSQL does not know the password")]
fn scram(#[case] last: Option<&'static str>, #[case] reason: &str) {
    let (address, end) = impostor(move |stream| {
        message(stream, None)?;
        stream.write_all(b"N")?;
        message(stream, None)?;
        stream.write_all(SASL)?;
        let first = String::from_utf8(message(stream, Some(b'p'))?).unwrap();
        let (_, nonce) = first.rsplit_once("r=").unwrap();
        let answer = format!("r={nonce}server,s=c2FsdHNhbHRzYWx0,i=4096");
        stream.write_all(&authentication(11, answer.as_bytes()))?;
        message(stream, Some(b'p'))?;
        if let Some(last) = last {
            stream.write_all(&authentication(12, last.as_bytes()))?;
        }
        stream.write_all(OK_AND_READY)
    });
    let error = does_not_start_with_password(&address);
    assert!(error.contains(reason), "{error}");
    assert_eq!(end.join().unwrap(), b"");
}

fn authentication(code: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len() + 8).unwrap();
    [b"R", length.to_be_bytes().as_slice(), &code.to_be_bytes(), data].concat()
}
