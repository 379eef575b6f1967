//! Channel binding: SCRAM over the certificate that the gateway sees (RFC 5802, section 6). A man in the middle, who has
//! another certificate, cannot pass the login on. That holds for certificates that `--sslmode` does not check, too.

use aws_lc_rs::digest::{Algorithm, SHA224, SHA256, SHA384, SHA512, digest};
use postgres_protocol::authentication::sasl::{self, SCRAM_SHA_256, SCRAM_SHA_256_PLUS};
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::{self as oid, Oid};
use x509_parser::prelude::FromDer as _;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::AlgorithmIdentifier;

use crate::config::ChannelBinding;

/// ecdsa-with-SHA1 (RFC 3279, section 2.2.3), which the registry of names lacks.
const ECDSA_WITH_SHA1: Oid<'static> = x509_parser::der_parser::oid!(1.2.840.10045.4.1);

pub const NOT_BOUND: &str = "PostgreSQL offers no login with channel binding, which --channel-binding=require demands";

/// By the algorithms of signatures, and by the parameter of RSASSA-PSS.
const HASH_FUNCTIONS: [(&[Oid<'_>], &Algorithm); 4] = [
    (
        &[
            oid::OID_PKCS1_MD5WITHRSAENC,
            oid::OID_PKCS1_SHA1WITHRSA,
            oid::OID_HASH_SHA1,
            ECDSA_WITH_SHA1,
            oid::OID_PKCS1_SHA256WITHRSA,
            oid::OID_SIG_ECDSA_WITH_SHA256,
            oid::OID_NIST_HASH_SHA256,
        ],
        &SHA256,
    ),
    (&[oid::OID_PKCS1_SHA224WITHRSA, oid::OID_SIG_ECDSA_WITH_SHA224], &SHA224),
    (
        &[
            oid::OID_PKCS1_SHA384WITHRSA,
            oid::OID_SIG_ECDSA_WITH_SHA384,
            oid::OID_NIST_HASH_SHA384,
        ],
        &SHA384,
    ),
    (
        &[
            oid::OID_PKCS1_SHA512WITHRSA,
            oid::OID_SIG_ECDSA_WITH_SHA512,
            oid::OID_NIST_HASH_SHA512,
        ],
        &SHA512,
    ),
];

/// The mechanism for a login, and what it says of channel binding. `certificate` is PostgreSQL's, of a connection with TLS. An
/// error is a text for the operator.
pub fn choose(
    mode: ChannelBinding,
    offered: &[String],
    certificate: Option<&CertificateDer<'_>>,
) -> Result<(&'static str, sasl::ChannelBinding), &'static str> {
    let offers = |name| offered.iter().any(|offer| offer == name);
    match (mode, certificate) {
        (ChannelBinding::Prefer | ChannelBinding::Require, Some(certificate)) if offers(SCRAM_SHA_256_PLUS) => {
            // No way back to a login without it, which a man in the middle could choose by his certificate.
            let hash = hash(certificate).ok_or(
                "channel binding is not defined for the signature of PostgreSQL's certificate; \
                 use a certificate of RSA or ECDSA, or --channel-binding=disable",
            )?;
            Ok((SCRAM_SHA_256_PLUS, sasl::ChannelBinding::tls_server_end_point(hash)))
        }
        (ChannelBinding::Require, _) => Err(NOT_BOUND),
        _ if !offers(SCRAM_SHA_256) => Err("PostgreSQL offers no SASL mechanism that the gateway supports"),
        // PostgreSQL rejects this answer if it did offer channel binding. A man in the middle has then removed its offer.
        (ChannelBinding::Prefer, Some(_)) => Ok((SCRAM_SHA_256, sasl::ChannelBinding::unrequested())),
        _ => Ok((SCRAM_SHA_256, sasl::ChannelBinding::unsupported())),
    }
}

/// The certificate's hash for `tls-server-end-point` (RFC 5929, section 4.1). None if that defines none, as for Ed25519.
fn hash(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let function = hash_function(&parsed.signature_algorithm)?;
    Some(digest(function, certificate).as_ref().to_vec())
}

/// The hash function of a signature; for a weak one SHA-256, as the RFC says.
fn hash_function(signature: &AlgorithmIdentifier<'_>) -> Option<&'static Algorithm> {
    let parameters;
    let name = if signature.algorithm == oid::OID_PKCS1_RSASSAPSS {
        // It has its hash function as a parameter; each of the others has a fixed one.
        parameters = RsaSsaPssParams::try_from(signature.parameters.as_ref()?).ok()?;
        parameters.hash_algorithm_oid()
    } else {
        &signature.algorithm
    };
    let known = HASH_FUNCTIONS.iter().find(|(names, _)| names.contains(name));
    known.map(|(_, function)| *function)
}
