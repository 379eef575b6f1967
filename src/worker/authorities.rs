//! The certificate authorities that verify the host of a `jwks_url`.

use std::fmt::Display;
use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use ureq::tls::{PemItem, parse_pem};

use crate::jwks::regular_file;

/// The largest file of authorities. Those of distributions have less than one MiB.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Certificates that verify hosts.
pub struct Authorities {
    pub certificates: Vec<CertificateDer<'static>>,
    /// Whether an administrator has chosen each of them, in the file.
    pub are_from_file: bool,
}

/// The authorities in a PEM file; without a file, those that the system trusts. An unusable file is an error.
///
/// # Errors
/// The reason why there are none, for an administrator.
pub fn authorities(ca_file: &Option<PathBuf>) -> Result<Authorities, String> {
    let certificates: Vec<_> = match ca_file {
        Some(path) => {
            let unusable = |reason: &dyn Display| format!("pg_session_jwt.ca_file \"{}\": {reason}", path.display());
            let read = regular_file::open(path).and_then(|(file, _)| regular_file::read(&file, MAX_BYTES + 1));
            let pem = read.map_err(|error| unusable(&error))?;
            if pem.len() > MAX_BYTES {
                return Err(unusable(&format!("it has more than {MAX_BYTES} bytes")));
            }
            let mut certificates = Vec::new();
            for item in parse_pem(separated(&pem).as_bytes()) {
                if let PemItem::Certificate(certificate) =
                    item.map_err(|_| unusable(&"it is not a well-formed PEM file"))?
                {
                    certificates.push(CertificateDer::from(certificate.der().to_vec()));
                }
            }
            if certificates.is_empty() {
                return Err(unusable(&"it has no certificate"));
            }
            certificates
        }
        None => rustls_native_certs::load_native_certs().certs,
    };
    if certificates.is_empty() {
        let advice = "install ca-certificates, or set pg_session_jwt.ca_file";
        return Err(format!("this system trusts no certificate authority: {advice}"));
    }
    Ok(Authorities {
        certificates,
        are_from_file: ca_file.is_some(),
    })
}

/// A PEM file as its parser needs it: files that were joined without a line break between them get one, and a byte order
/// mark is removed. Texts between the certificates mean nothing.
fn separated(pem: &[u8]) -> String {
    let text = String::from_utf8_lossy(pem);
    text.trim_start_matches('\u{feff}')
        .replace("----------BEGIN ", "-----\n-----BEGIN ")
}
