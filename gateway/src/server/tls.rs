//! The certificate of the gateway, which can be replaced while it runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("could not read \"{}\": {error}", file.display())]
    File { file: PathBuf, error: pem::Error },
    #[error("file \"{}\" has no certificate", file.display())]
    NoCertificate { file: PathBuf },
    #[error("could not use the certificate \"{}\" with its key: {error}", file.display())]
    Unusable { file: PathBuf, error: rustls::Error },
}

/// The name of HTTP/1.1 in TLS (RFC 7301, section 6).
pub const HTTP1: &[u8] = b"http/1.1";

/// The certificate of two files, and the configuration that uses it.
#[derive(Debug)]
pub struct Certificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    pub fn load(chain_file: &Path, key_file: &Path) -> Result<Arc<Certificate>, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let current = read(chain_file, key_file, &provider)?;
        Ok(Arc::new(Certificate {
            chain_file: chain_file.to_owned(),
            key_file: key_file.to_owned(),
            provider,
            current: RwLock::new(Arc::new(current)),
        }))
    }

    /// Reads the files again. If they cannot be used, the certificate remains.
    pub fn reload(&self) -> Result<(), CertificateError> {
        let new = Arc::new(read(&self.chain_file, &self.key_file, &self.provider)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// TLS 1.2 and 1.3, for HTTP/2 and HTTP/1.1.
    pub fn configuration(self: &Arc<Self>) -> Result<Arc<ServerConfig>, rustls::Error> {
        let mut configuration = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        configuration.alpn_protocols = vec![b"h2".to_vec(), HTTP1.to_vec()];
        Ok(Arc::new(configuration))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn read(chain_file: &Path, key_file: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
    let unreadable = |file: &Path| {
        let file = file.to_owned();
        move |error| CertificateError::File { file, error }
    };
    let chain = CertificateDer::pem_file_iter(chain_file).map_err(unreadable(chain_file))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unreadable(chain_file))?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate {
            file: chain_file.to_owned(),
        });
    }
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(unreadable(key_file))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| CertificateError::Unusable {
        file: chain_file.to_owned(),
        error,
    })
}
