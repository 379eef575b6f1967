//! Key servers over TLS, and their certificate authorities. All certificates are made when a test runs.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificate::key_pair;
use crate::key_server::{Answer, KeyServer, Transport};
use crate::signer::RSA;

pub fn start_tls(config: Arc<ServerConfig>, answer: Answer) -> KeyServer {
    let transport: Transport = Box::new(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        Box::new(StreamOwned::new(connection, stream))
    });
    KeyServer::start_over("https", transport, 0, answer)
}

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, as a file has it.
    pub pem: String,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        Authority::with_key(name, KeyPair::generate().unwrap())
    }

    /// An authority with an RSA key, which signs by sha256WithRSAEncryption.
    pub fn with_rsa_key(name: &str) -> Authority {
        Authority::with_key(name, key_pair(&RSA))
    }

    fn with_key(name: &str, key: KeyPair) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Authority { issuer, pem }
    }

    /// The key of a server, whose self-signed certificate for this host says nothing of authorities.
    pub fn of_server(host: &str) -> Authority {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, host);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Authority { issuer, pem }
    }

    /// A key server's end of TLS, with a certificate for this host (a name, or an address).
    pub fn certify(&self, host: &str) -> Arc<ServerConfig> {
        self.certify_for_years(host, (2000, 4000))
    }

    /// Like [`Authority::certify`], with a certificate that is changed afterwards: its signature is no longer valid.
    pub fn certify_changed(&self, host: &str, change: fn(&[u8]) -> Vec<u8>) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        config(&change(certificate.der()).into(), &key)
    }

    /// Like [`Authority::certify`], valid from the beginning of one year to the beginning of another.
    pub fn certify_for_years(&self, host: &str, (from, to): (i32, i32)) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        config(certificate.der(), &key)
    }
}

/// A self-signed certificate.
pub fn self_signed(host: &str) -> Arc<ServerConfig> {
    SelfSigned::new(host, false, (2000, 4000)).config
}

/// A key server's end of TLS with a self-signed certificate.
pub struct SelfSigned {
    pub config: Arc<ServerConfig>,
    /// The certificate, as a file has it.
    pub pem: String,
}

impl SelfSigned {
    /// A certificate for this host, valid between these years, which may say that it is an authority.
    pub fn new(host: &str, is_authority: bool, (from, to): (i32, i32)) -> SelfSigned {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        if is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        SelfSigned::of(params)
    }

    /// A certificate whose only name is its common name.
    pub fn by_common_name(host: &str) -> SelfSigned {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, host);
        SelfSigned::of(params)
    }

    fn of(params: CertificateParams) -> SelfSigned {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        SelfSigned {
            config: config(certificate.der(), &key),
            pem: certificate.pem(),
        }
    }
}

fn config(certificate: &CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = provider.key_provider.load_private_key(key.into()).unwrap();
    // A server need not understand its own certificate.
    let certified = CertifiedKey::new(vec![certificate.clone()], key);
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    Arc::new(config)
}
