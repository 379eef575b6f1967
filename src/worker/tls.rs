//! TLS to the host of a `jwks_url`, whose certificate must be from a trusted authority or stand in `ca_file` itself.

use std::fmt::{self, Debug};
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    StreamOwned,
};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use crate::worker::authorities::Authorities;
use crate::worker::certificate_authority;

/// Wraps the connections of https.
pub struct Tls {
    config: Arc<ClientConfig>,
}

impl Tls {
    /// TLS that trusts these authorities.
    ///
    /// # Errors
    /// None of them can be used.
    pub fn new(authorities: Authorities) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let Authorities {
            certificates,
            are_from_file,
        } = authorities;
        // A server's own certificate in the file vouches for that server only.
        let may_issue =
            |certificate: &&CertificateDer<'_>| !are_from_file || certificate_authority::is_one(certificate);
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().filter(may_issue).cloned());
        let verifier = Verifier {
            roots,
            algorithms: provider.signature_verification_algorithms,
            pinned: if are_from_file { certificates } else { Vec::new() },
        };
        if verifier.roots.is_empty() && verifier.pinned.is_empty() {
            return Err("this system has no usable certificate authority".to_owned());
        }
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Tls {
            config: Arc::new(config),
        })
    }
}

impl Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls")
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        // A proxy is reached without TLS.
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| ureq::Error::Tls("the host is not a name or address"))?;
        let connection = ClientConnection::new(Arc::clone(&self.config), name).map_err(ureq::Error::Rustls)?;
        let config = details.config;
        Ok(Some(Either::B(TlsTransport {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            stream: StreamOwned::new(
                connection,
                TransportAdapter::new(transport.boxed(), Arc::clone(&details.current_time)),
            ),
        })))
    }
}

/// A connection over TLS. A connection that ends without TLS's own end is an error, so that an answer cannot be truncated on its way.
pub struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Debug for TlsTransport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output();
        self.stream.write_all(output.get(..amount).unwrap_or_default())?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let received = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(received);
        Ok(received > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Verifies certificates by authority. With a `ca_file`, it also accepts a certificate that stands in the file itself, byte by
/// byte, while it is valid and for its own names. The system's authorities are never used in this way.
#[derive(Debug)]
struct Verifier {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
    pinned: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let (roots, algorithms) = (&self.roots, self.algorithms.all);
        match verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, algorithms) {
            Err(error) if self.pinned.contains(certificate) && is_about_the_issuer(&error) => {}
            result => result?,
        }
        verify_server_name(&parsed, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether a certificate has no other fault than its issuer: none is trusted, one with the same name has not signed it, or it
/// says that it is one itself. The time is checked before these.
fn is_about_the_issuer(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => true,
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
        }
        _ => false,
    }
}

/// Why a certificate is rejected, for an administrator.
pub fn reason(error: &rustls::Error) -> String {
    use CertificateError as Certificate;
    let rustls::Error::InvalidCertificate(problem) = error else {
        return error.to_string();
    };
    let text = match problem {
        Certificate::UnknownIssuer => "no trusted authority has issued it",
        Certificate::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "it has no subject alternative name, and a name in CN alone does not count"
        }
        Certificate::UnsupportedSignatureAlgorithmContext { .. }
        | Certificate::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it or its authority is signed with an algorithm that is not supported, such as SHA-1"
        }
        Certificate::Other(other) => match other.0.downcast_ref() {
            Some(webpki::Error::UnsupportedCertVersion) => "it is of X.509 version 1 or 2, and only 3 is supported",
            Some(webpki::Error::CaUsedAsEndEntity) => {
                "it is that of an authority, which is accepted for a server only if pg_session_jwt.ca_file has it"
            }
            _ => return error.to_string(),
        },
        _ => return error.to_string(),
    };
    format!("the server's certificate is rejected: {text}")
}
