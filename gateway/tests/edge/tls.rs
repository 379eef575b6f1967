//! TLS and its certificate.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::Request;
use pg_session_jwt_gateway::server::tls::Certificate;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::clients::{connect, response, start, until_closed};

/// The directory of a certificate, which is removed at the end.
struct Files(PathBuf);

impl Files {
    fn new() -> Files {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("gateway-edge-{}-{number}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        Files(directory)
    }

    fn chain(&self) -> PathBuf {
        self.0.join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.join("key.pem")
    }

    /// Writes a new certificate with its key.
    fn write(&self) -> CertificateDer<'static> {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.chain(), certified.cert.pem()).unwrap();
        std::fs::write(self.key(), certified.signing_key.serialize_pem()).unwrap();
        certified.cert.der().clone()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

async fn connect_tls(
    address: SocketAddr,
    root: &CertificateDer<'static>,
    alpn: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, connect(address).await)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_http_are_offered() {
    let files = Files::new();
    let root = files.write();
    let certificate = Certificate::load(&files.chain(), &files.key()).unwrap();
    let server = start(10, Some(certificate.configuration().unwrap())).await;

    for alpn in [&["http/1.1"][..], &[]] {
        let mut one = connect_tls(server.address, &root, alpn).await.unwrap();
        one.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        assert_eq!(response(&mut one).await, (200, "ok".to_owned()));
    }

    let two = connect_tls(server.address, &root, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(two.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut requests, connection) = h2::client::handshake(two).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://localhost/").body(()).unwrap();
    let (response, _) = requests.send_request(request, true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_uses_the_new_certificate_if_it_is_valid() {
    let files = Files::new();
    let first = files.write();
    let certificate = Certificate::load(&files.chain(), &files.key()).unwrap();
    let server = start(10, Some(certificate.configuration().unwrap())).await;
    let mut open = connect_tls(server.address, &first, &[]).await.unwrap();

    let second = files.write();
    connect_tls(server.address, &first, &[]).await.unwrap();
    certificate.reload().unwrap();
    connect_tls(server.address, &second, &[]).await.unwrap();
    assert!(connect_tls(server.address, &first, &[]).await.is_err());

    // The key of another certificate.
    let chain = std::fs::read(files.chain()).unwrap();
    files.write();
    std::fs::write(files.chain(), chain).unwrap();
    let error = certificate.reload().unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "could not use the certificate \"{}\" with its key: keys may not be consistent: KeyMismatch",
            files.chain().display()
        )
    );
    for broken in ["", "no PEM"] {
        std::fs::write(files.chain(), broken).unwrap();
        let error = certificate.reload().unwrap_err().to_string();
        assert_eq!(
            error,
            format!("file \"{}\" has no certificate", files.chain().display())
        );
    }
    std::fs::remove_file(files.chain()).unwrap();
    assert!(certificate.reload().is_err());
    connect_tls(server.address, &second, &[]).await.unwrap();

    open.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(response(&mut open).await, (200, "ok".to_owned()));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Certificate::load(Path::new("/nowhere/cert.pem"), Path::new("/nowhere/key.pem")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not read \"/nowhere/cert.pem\": I/O error: No such file or directory (os error 2)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_has_a_time_limit() {
    let files = Files::new();
    files.write();
    let certificate = Certificate::load(&files.chain(), &files.key()).unwrap();
    let server = start(10, Some(certificate.configuration().unwrap())).await;
    assert_eq!(until_closed(&mut connect(server.address).await).await, "");
}
