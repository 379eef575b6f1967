//! RSA signatures that a careless verifier accepts (RFC 8017 §8.2.2, §9.1.2): right key, wrong padding.
//!
//! OpenSSL makes them with the private key and no padding. The kind of session makes no difference to a signature, so
//! each attack runs once.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use testkit::messages;
use testkit::session::{rejection, rows, run};

use super::deployment::Deployment;
use super::ways::{Way, value};

/// The DigestInfo of SHA-256 before the hash (RFC 8017 §9.2, note 1).
const SHA256: &str = "3031300d060960864801650304020105000420";
const BYTES: usize = 256;

/// A private key of openssl in a separate directory.
struct OpenSsl(PathBuf);

impl OpenSsl {
    fn new() -> OpenSsl {
        let directory = std::env::temp_dir().join(format!("pg_session_jwt-rsa-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let openssl = OpenSsl(directory);
        openssl.run(&[
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
            "-out",
            "key",
        ]);
        openssl
    }

    fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn modulus(&self) -> Vec<u8> {
        let text = String::from_utf8(self.run(&["rsa", "-in", "key", "-noout", "-modulus"])).unwrap();
        hex(text.trim().strip_prefix("Modulus=").unwrap())
    }

    /// The signature of an arbitrary encoded message.
    fn raw(&self, encoded: &[u8]) -> Vec<u8> {
        assert_eq!(encoded.len(), BYTES);
        fs::write(self.0.join("in"), encoded).unwrap();
        self.run(&[
            "pkeyutl",
            "-decrypt",
            "-inkey",
            "key",
            "-in",
            "in",
            "-pkeyopt",
            "rsa_padding_mode:none",
        ])
    }

    /// A PSS signature with this salt, and this hash in the mask.
    fn pss(&self, input: &str, salt: &str, mask: &str) -> Vec<u8> {
        fs::write(self.0.join("in"), input).unwrap();
        let (salt, mask) = (format!("rsa_pss_saltlen:{salt}"), format!("rsa_mgf1_md:{mask}"));
        let padding = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", &salt, "-sigopt", &mask];
        self.run(&[&["dgst", "-sha256", "-sign", "key"], &padding[..], &["in"]].concat())
    }

    fn digest(&self, algorithm: &str, input: &str) -> Vec<u8> {
        fs::write(self.0.join("in"), input).unwrap();
        self.run(&["dgst", algorithm, "-binary", "in"])
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn hex(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// 00 01 FF … FF 00, then this: correct PKCS #1 v1.5.
fn padded(tail: &[u8]) -> Vec<u8> {
    let mut encoded = vec![0xff; BYTES - tail.len()];
    (encoded[0], encoded[1]) = (0, 1);
    *encoded.last_mut().unwrap() = 0;
    [encoded, tail.to_vec()].concat()
}

fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signing_input(alg: &str) -> String {
    let header = format!(r#"{{"alg":"{alg}"}}"#);
    format!("{}.{}", part(header), part(r#"{"iss":"rsa","sub":"mallory"}"#))
}

/// A deployment whose provider has this key.
fn deployment(openssl: &OpenSsl) -> Deployment {
    let deployment = Deployment::new(Way::Login);
    let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, part(openssl.modulus()));
    let providers = format!(
        "alter database {} set pg_session_jwt.providers = '[{{\"issuer\":\"rsa\",\"jwks\":{{\"keys\":[{jwk}]}}}}]'",
        deployment.database
    );
    run(&mut deployment.admin(), &providers);
    deployment
}

#[track_caller]
fn outcomes(client: &mut postgres::Client, alg: &str, good: &[u8], forgeries: &[(&str, Vec<u8>)]) {
    let token = |signature: &[u8]| format!("{}.{}", signing_input(alg), part(signature));
    for (what, forgery) in forgeries {
        let sql = format!("select auth.jwt_session_init('{}')", token(forgery));
        let rejected = rejection(client, &sql);
        assert_eq!(
            (rejected.sqlstate.as_str(), rejected.message.as_str()),
            ("28000", messages::INVALID_SIGNATURE),
            "{what}"
        );
        assert_eq!(rows(client, "select auth.user_id()"), [[None]], "{what}");
    }
    // The same code also makes valid signatures.
    run(client, &format!("select auth.jwt_session_init('{}')", token(good)));
    assert_eq!(value(client, "select auth.user_id()").as_deref(), Some("mallory"));
    run(client, "reset pg_session_jwt.jwt");
}

/// attack: 38, 40
#[test]
fn malformed_padding_is_an_invalid_signature() {
    let openssl = OpenSsl::new();
    let deployment = deployment(&openssl);
    let mut client = deployment.anyone();

    let input = signing_input("RS256");
    let hash = openssl.digest("-sha256", &input);
    let info = [hex(SHA256), hash.clone()].concat();
    let good = padded(&info);
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut encoded = good.clone();
        change(&mut encoded);
        openssl.raw(&encoded)
    };
    // Bleichenbacher 2006: short padding, and free bytes after the hash.
    let garbage = [hex("0001ffffffffffffffff00"), info.clone()].concat();
    let garbage = [garbage.clone(), vec![0; BYTES - garbage.len()]].concat();
    let without_null = [hex("302f300b0609608648016503040201"), hex("0420"), hash.clone()].concat();
    let long_lengths = [hex("30813181000d060960864801650304020105000420"), hash.clone()].concat();
    let other = |oid: &str, digest: &str| padded(&[hex(oid), openssl.digest(digest, &input)].concat());
    let sha1 = other("3021300906052b0e03021a05000414", "-sha1");
    let sha512 = other("3051300d060960864801650304020305000440", "-sha512");
    outcomes(
        &mut client,
        "RS256",
        &openssl.raw(&good),
        &[
            ("bytes after the hash", openssl.raw(&garbage)),
            ("block type 2", changed(&|encoded| encoded[1] = 2)),
            ("block type 0", changed(&|encoded| encoded[1] = 0)),
            (
                "a byte of padding that is not FF",
                changed(&|encoded| encoded[100] = 0xfe),
            ),
            ("a zero in the padding", changed(&|encoded| encoded[9] = 0)),
            (
                "no zero after the padding",
                changed(&|encoded| encoded[BYTES - info.len() - 1] = 0xff),
            ),
            ("no NULL in the algorithm", openssl.raw(&padded(&without_null))),
            ("lengths in BER", openssl.raw(&padded(&long_lengths))),
            ("the hash alone", openssl.raw(&padded(&hash))),
            ("SHA-1", openssl.raw(&sha1)),
            ("SHA-512", openssl.raw(&sha512)),
            ("PSS", openssl.pss(&input, "32", "sha256")),
        ],
    );

    let input = signing_input("PS256");
    let pkcs1 = padded(&[hex(SHA256), openssl.digest("-sha256", &input)].concat());
    outcomes(
        &mut client,
        "PS256",
        &openssl.pss(&input, "32", "sha256"),
        &[
            ("no salt", openssl.pss(&input, "0", "sha256")),
            ("20 bytes of salt", openssl.pss(&input, "20", "sha256")),
            ("31 bytes of salt", openssl.pss(&input, "31", "sha256")),
            ("33 bytes of salt", openssl.pss(&input, "33", "sha256")),
            (
                "as much salt as there is room for",
                openssl.pss(&input, "222", "sha256"),
            ),
            ("SHA-1 in the mask", openssl.pss(&input, "32", "sha1")),
            ("SHA-512 in the mask", openssl.pss(&input, "32", "sha512")),
            ("PKCS #1 v1.5", openssl.raw(&pkcs1)),
        ],
    );
}
