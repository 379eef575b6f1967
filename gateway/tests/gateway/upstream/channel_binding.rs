//! Channel binding: the login is tied to PostgreSQL's certificate, so that a man in the middle cannot pass it on.

use std::process::Command;
use std::sync::Arc;

use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_ED25519, PKCS_RSA_SHA512,
    SignatureAlgorithm, generate_simple_self_signed,
};
use rstest::rstest;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use testkit::server::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::tls::{has_tls, server_certified_by};
use super::{does_not_start, does_not_start_at, server, serves, serves_at, set_password};
use crate::reload::trusting;

const LINE: &str = "hostssl all jwt_gateway all scram-sha-256";
/// What PostgreSQL logs when the gateway is logged in.
const LOGGED_IN: &str = "identity=\"jwt_gateway\" method=scram-sha-256";

/// A server that demands TLS and a password, its database, and the option that names the file of the password.
fn server_signed_with(algorithm: &'static SignatureAlgorithm) -> (Server, String, String) {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let (server, database, _) = server_certified_by(key, "127.0.0.1", LINE);
    let file = set_password(&server, "scram-sha-256");
    (server, database, format!("--password-file={}", file.display()))
}

#[rstest]
#[case::sha256(&PKCS_ECDSA_P256_SHA256)]
#[case::sha384(&PKCS_ECDSA_P384_SHA384)]
#[case::sha512(&PKCS_ECDSA_P521_SHA512)]
#[case::rsa(&PKCS_RSA_SHA512)]
fn each_hash_of_a_signature(#[case] algorithm: &'static SignatureAlgorithm) {
    if !has_tls() {
        return;
    }
    let (server, database, password) = server_signed_with(algorithm);
    serves(&server, &database, &[&password, "--channel-binding=require"]);
    serves(&server, &database, &[&password]);
}

/// RSASSA-PSS has its hash as a parameter. The library that makes the other certificates does not make such ones.
#[test]
fn a_hash_that_is_a_parameter() {
    if !has_tls() {
        return;
    }
    let (mut server, database, password) = server_signed_with(&PKCS_ECDSA_P256_SHA256);
    server.restart_after(|directory| {
        // The owner and the permissions of the files remain.
        let output = Command::new("openssl")
            .args("req -x509 -newkey rsa:2048 -nodes -sha384 -subj /CN=127.0.0.1".split(' '))
            .args("-sigopt rsa_padding_mode:pss -keyout server.key -out server.crt".split(' '))
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    serves(&server, &database, &[&password, "--channel-binding=require"]);
}

/// No hash is defined for it. PostgreSQL offers channel binding all the same, and fails. As in libpq there is no way back: a
/// man in the middle could take it with such a certificate.
#[test]
fn a_signature_without_a_hash() {
    if !has_tls() {
        return;
    }
    let (server, database, password) = server_signed_with(&PKCS_ED25519);
    does_not_start(&server, &database, &[&password]);
    serves(&server, &database, &[&password, "--channel-binding=disable"]);
}

#[test]
fn a_login_that_binds_nothing_when_it_must() {
    let (server, database) = server("host all jwt_gateway all scram-sha-256", "");
    let password = format!("--password-file={}", set_password(&server, "scram-sha-256").display());
    serves(&server, &database, &[&password]);
    does_not_start(&server, &database, &[&password, "--channel-binding=require"]);
}

/// PostgreSQL asks for no password here, and does not show that it knows one.
#[test]
fn a_trusted_login_when_it_must_bind() {
    let (server, database) = server("host all jwt_gateway all trust", "");
    serves(&server, &database, &[]);
    does_not_start(&server, &database, &["--channel-binding=require"]);
}

/// A man in the middle has another certificate, which sslmode=require does not look at.
#[test]
fn a_man_in_the_middle() {
    if !has_tls() {
        return;
    }
    let (server, database, password) = server_signed_with(&PKCS_ECDSA_P256_SHA256);
    let relay = Relay::start(&server, false);
    for binding in ["prefer", "require"] {
        let binding = format!("--channel-binding={binding}");
        does_not_start_at(&relay.address, &database, &[&password, &binding]);
    }
    let log = server.log();
    assert_eq!(log.matches("SCRAM channel binding check failed").count(), 2, "{log}");
    assert!(!log.contains(LOGGED_IN), "{log}");
    // Without channel binding he has a session.
    serves_at(&relay.address, &database, &[&password, "--channel-binding=disable"]);
    assert!(server.log().contains(LOGGED_IN));
}

/// He removes SCRAM-SHA-256-PLUS from PostgreSQL's offer. PostgreSQL learns that the gateway would have used it.
#[test]
fn a_man_in_the_middle_who_hides_the_offer() {
    if !has_tls() {
        return;
    }
    let (server, database, password) = server_signed_with(&PKCS_ECDSA_P256_SHA256);
    let relay = Relay::start(&server, true);
    does_not_start_at(&relay.address, &database, &[&password]);
    let log = server.log();
    assert!(log.contains("SCRAM channel binding negotiation error"), "{log}");
    does_not_start_at(&relay.address, &database, &[&password, "--channel-binding=require"]);
    assert!(!server.log().contains(LOGGED_IN));
    serves_at(&relay.address, &database, &[&password, "--channel-binding=disable"]);
}

/// Ends TLS with another certificate, and passes on what the two sides say.
struct Relay {
    address: String,
    _runtime: Runtime,
}

impl Relay {
    fn start(server: &Server, hides_the_offer: bool) -> Relay {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (acceptor, connector, port) = (acceptor(), connector(server), server.port());
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, connector) = (acceptor.clone(), connector.clone());
                tokio::spawn(async move {
                    // Either side may end the login.
                    let _ = relay(client, port, acceptor, connector, hides_the_offer).await;
                });
            }
        });
        Relay {
            address,
            _runtime: runtime,
        }
    }
}

async fn relay(
    mut client: TcpStream,
    port: u16,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    hides_the_offer: bool,
) -> std::io::Result<()> {
    let mut request = [0; 8];
    client.read_exact(&mut request).await?;
    client.write_all(b"S").await?;
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    server.write_all(&request).await?;
    assert_eq!(server.read_u8().await?, b'S');
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut server = connector.connect(name, server).await?;
    if hides_the_offer {
        let mut bytes = [0; 4096];
        let count = client.read(&mut bytes).await?;
        server.write_all(&bytes[..count]).await?;
        let count = server.read(&mut bytes).await?;
        assert_eq!(
            &bytes[..count],
            b"R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"
        );
        client.write_all(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0").await?;
    }
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

fn acceptor() -> TlsAcceptor {
    let certified = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn connector(server: &Server) -> TlsConnector {
    let authority = CertificateDer::from_pem_file(server.directory().join("authority.crt")).unwrap();
    TlsConnector::from(trusting(authority))
}
