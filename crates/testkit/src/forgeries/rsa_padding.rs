//! RSA signatures that a careless verifier accepts (RFC 8017 §8.2.2, §9.1.2): right key, wrong padding.
//!
//! OpenSSL makes them with the private key and no padding.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::malleable::bytes_of_hex;
use crate::signer::part;

/// The DigestInfo of SHA-256 before the hash (RFC 8017 §9.2, note 1).
const SHA256: &str = "3031300d060960864801650304020105000420";
const BYTES: usize = 256;

/// A private key of openssl in a separate directory.
pub struct RsaPadding(PathBuf);

/// The tokens of one algorithm.
pub struct PaddedTokens {
    pub good: String,
    /// What is wrong, and the token.
    pub forgeries: Vec<(&'static str, String)>,
}

impl RsaPadding {
    pub fn new() -> RsaPadding {
        let directory = std::env::temp_dir().join(format!("pg_session_jwt-rsa-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let openssl = RsaPadding(directory);
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

    /// The public key, without a name.
    pub fn jwk(&self) -> String {
        format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, part(self.modulus()))
    }

    /// Tokens with this payload, of RS256 and PS256.
    pub fn tokens(&self, payload: &str) -> [PaddedTokens; 2] {
        [self.pkcs1_tokens(payload), self.pss_tokens(payload)]
    }

    fn pkcs1_tokens(&self, payload: &str) -> PaddedTokens {
        let input = signing_input("RS256", payload);
        let hash = self.digest("-sha256", &input);
        let info = [bytes_of_hex(SHA256), hash.clone()].concat();
        let good = padded(&info);
        let changed = |at: usize, byte: u8| {
            let mut encoded = good.clone();
            encoded[at] = byte;
            self.raw(&encoded)
        };
        // Bleichenbacher 2006: short padding, and free bytes after the hash.
        let garbage = [bytes_of_hex("0001ffffffffffffffff00"), info.clone()].concat();
        let garbage = [garbage.clone(), vec![0; BYTES - garbage.len()]].concat();
        let after = |prefix: &str| padded(&[bytes_of_hex(prefix), hash.clone()].concat());
        let without_null = after("302f300b06096086480165030402010420");
        let long_lengths = after("30813181000d060960864801650304020105000420");
        let other = |oid: &str, digest: &str| padded(&[bytes_of_hex(oid), self.digest(digest, &input)].concat());
        let sha1 = other("3021300906052b0e03021a05000414", "-sha1");
        let sha512 = other("3051300d060960864801650304020305000440", "-sha512");
        let forgeries = vec![
            ("bytes after the hash", self.raw(&garbage)),
            ("block type 2", changed(1, 2)),
            ("block type 0", changed(1, 0)),
            ("a byte of padding that is not FF", changed(100, 0xfe)),
            ("a zero in the padding", changed(9, 0)),
            ("no zero after the padding", changed(BYTES - info.len() - 1, 0xff)),
            ("no NULL in the algorithm", self.raw(&without_null)),
            ("lengths in BER", self.raw(&long_lengths)),
            ("the hash alone", self.raw(&padded(&hash))),
            ("SHA-1", self.raw(&sha1)),
            ("SHA-512", self.raw(&sha512)),
            ("PSS", self.pss(&input, "32", "sha256")),
        ];
        tokens(&input, &self.raw(&good), forgeries)
    }

    fn pss_tokens(&self, payload: &str) -> PaddedTokens {
        let input = signing_input("PS256", payload);
        let pkcs1 = padded(&[bytes_of_hex(SHA256), self.digest("-sha256", &input)].concat());
        let forgeries = vec![
            ("no salt", self.pss(&input, "0", "sha256")),
            ("20 bytes of salt", self.pss(&input, "20", "sha256")),
            ("31 bytes of salt", self.pss(&input, "31", "sha256")),
            ("33 bytes of salt", self.pss(&input, "33", "sha256")),
            ("as much salt as there is room for", self.pss(&input, "222", "sha256")),
            ("SHA-1 in the mask", self.pss(&input, "32", "sha1")),
            ("SHA-512 in the mask", self.pss(&input, "32", "sha512")),
            ("PKCS #1 v1.5", self.raw(&pkcs1)),
        ];
        tokens(&input, &self.pss(&input, "32", "sha256"), forgeries)
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
        bytes_of_hex(text.trim().strip_prefix("Modulus=").unwrap())
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

impl Drop for RsaPadding {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// 00 01 FF … FF 00, then this: correct PKCS #1 v1.5.
fn padded(tail: &[u8]) -> Vec<u8> {
    let mut encoded = vec![0xff; BYTES - tail.len()];
    (encoded[0], encoded[1]) = (0, 1);
    *encoded.last_mut().unwrap() = 0;
    [encoded, tail.to_vec()].concat()
}

fn signing_input(alg: &str, payload: &str) -> String {
    format!("{}.{}", part(format!(r#"{{"alg":"{alg}"}}"#)), part(payload))
}

fn tokens(input: &str, good: &[u8], forgeries: Vec<(&'static str, Vec<u8>)>) -> PaddedTokens {
    let token = |signature: &[u8]| format!("{input}.{}", part(signature));
    PaddedTokens {
        good: token(good),
        forgeries: forgeries
            .iter()
            .map(|(what, forgery)| (*what, token(forgery)))
            .collect(),
    }
}
