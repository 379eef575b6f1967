//! TLS to PostgreSQL, in the modes of libpq (PostgreSQL manual, "SSL Mode Descriptions").

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::stream::Stream;
use crate::config::{Config, SslMode};

pub struct Tls {
    mode: SslMode,
    /// None if TLS is disabled.
    connector: RwLock<Option<TlsConnector>>,
}

/// What of the server's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Nothing,
    Authority,
    AuthorityAndName,
}

impl Tls {
    #[cfg(test)]
    pub fn disabled() -> Tls {
        Tls {
            mode: SslMode::Disable,
            connector: RwLock::new(None),
        }
    }

    pub fn of_config(config: &Config) -> Result<Tls, String> {
        Ok(Tls {
            mode: config.sslmode,
            connector: RwLock::new(connector(config)?),
        })
    }

    /// Reads the files of certificates again. If they cannot be used, what was read before remains in use.
    pub fn reload(&self, config: &Config) -> Result<(), String> {
        let new = connector(config)?;
        *self.connector.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Asks PostgreSQL for TLS, and begins it.
    pub async fn negotiate(&self, mut stream: TcpStream, name: &str) -> io::Result<Stream> {
        let connector = self.connector.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(connector) = connector else {
            return Ok(Stream::Tcp(stream));
        };
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        stream.write_all(&request).await?;
        // One byte is read, so that nothing that an attacker has sent after it is taken for a part of the TLS session.
        match stream.read_u8().await? {
            b'S' => {
                let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
                Ok(Stream::Tls(Box::new(connector.connect(name, stream).await?)))
            }
            b'N' if self.mode == SslMode::Prefer => Ok(Stream::Tcp(stream)),
            b'N' => Err(io::Error::other("PostgreSQL does not support TLS")),
            _ => Err(io::Error::other("PostgreSQL rejected the request for TLS")),
        }
    }
}

fn connector(config: &Config) -> Result<Option<TlsConnector>, String> {
    let mode = config.sslmode;
    if mode == SslMode::Disable {
        return Ok(None);
    }
    let check = match (mode, &config.sslrootcert) {
        (SslMode::VerifyFull, Some(_)) => Check::AuthorityAndName,
        // libpq accepts the public authorities only together with a check of the name.
        (_, Some(path)) if path == Path::new("system") => {
            return Err("sslrootcert=system needs sslmode=verify-full".to_owned());
        }
        // As libpq: with a root certificate, require checks it.
        (SslMode::VerifyCa | SslMode::Require, Some(_)) => Check::Authority,
        (SslMode::VerifyCa | SslMode::VerifyFull, None) => {
            return Err("this sslmode needs --sslrootcert".to_owned());
        }
        (SslMode::Disable | SslMode::Prefer | SslMode::Require, _) => Check::Nothing,
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier {
        check,
        provider: provider.clone(),
        authorities: match &config.sslrootcert {
            Some(path) if check != Check::Nothing => Some(authorities(path, provider.clone())?),
            _ => None,
        },
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let client = match (&config.sslcert, &config.sslkey) {
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|error| format!("client certificate: {error}"))?,
        _ => builder.with_no_client_auth(),
    };
    Ok(Some(TlsConnector::from(Arc::new(client))))
}

pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => Err(format!("no certificate in {}", path.display())),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!(
            "could not read the certificates of {}: {error}",
            path.display()
        )),
    }
}

pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| format!("could not read the private key of {}: {error}", path.display()))
}

fn authorities(path: &Path, provider: Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, String> {
    let mut roots = RootCertStore::empty();
    if path == Path::new("system") {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        for certificate in certificates(path)? {
            roots
                .add(certificate)
                .map_err(|error| format!("certificate of {}: {error}", path.display()))?;
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| format!("certificate authorities: {error}"))
}

#[derive(Debug)]
struct Verifier {
    check: Check,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        match authorities.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.check == Check::Authority => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
