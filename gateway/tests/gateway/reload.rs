//! SIGHUP: the process reads its certificate again.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::running::Gateway;
use crate::{SERVER, database};

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// The directory of a certificate and a log, which is removed at the end.
struct Files(PathBuf);

impl Files {
    fn new() -> Files {
        let directory = std::env::temp_dir().join(format!("gateway-reload-{}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        Files(directory)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Writes a new certificate with its key.
    fn write(&self) -> CertificateDer<'static> {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.path("cert.pem"), certified.cert.pem()).unwrap();
        std::fs::write(self.path("key.pem"), certified.signing_key.serialize_pem()).unwrap();
        certified.cert.der().clone()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A client of TLS that trusts this certificate only.
pub fn trusting(certificate: CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// A connection to a gateway that has this certificate, and no other.
fn connect(gateway: &Gateway, certificate: &CertificateDer<'static>) -> io::Result<Tls> {
    let config = trusting(certificate.clone());
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(config, name).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    connection.complete_io(&mut stream)?;
    Ok(StreamOwned::new(connection, stream))
}

/// A request, after which the connection remains.
fn request(tls: &mut Tls) {
    tls.write_all(b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let mut bytes = [0; 4096];
    let count = tls.read(&mut bytes).unwrap();
    let response = String::from_utf8_lossy(&bytes[..count]);
    assert!(response.starts_with("HTTP/1.1 404"), "{response}");
}

#[track_caller]
fn eventually(what: impl Fn() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < Duration::from_secs(10), "it does not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_new_certificate_and_one_that_cannot_be_used() {
    let files = Files::new();
    let first = files.write();
    let gateway = Gateway::start_logging(
        &format!("127.0.0.1:{}", SERVER.port()),
        &database(),
        &[
            "--tls-cert",
            &files.path("cert.pem"),
            "--tls-key",
            &files.path("key.pem"),
        ],
        Stdio::from(File::create(files.path("log")).unwrap()),
    );
    let mut open = connect(&gateway, &first).unwrap();
    request(&mut open);

    let second = files.write();
    request(&mut connect(&gateway, &first).unwrap());
    gateway.signal("HUP");
    eventually(|| connect(&gateway, &second).is_ok());
    assert!(connect(&gateway, &first).is_err());
    request(&mut open);
    assert_eq!(files.log(), "");

    std::fs::write(files.path("cert.pem"), "no certificate").unwrap();
    gateway.signal("HUP");
    eventually(|| {
        files
            .log()
            .contains("has no certificate; what was read before remains in use")
    });
    request(&mut connect(&gateway, &second).unwrap());
    request(&mut open);
}
