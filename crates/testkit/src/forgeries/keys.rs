//! Signatures of other keys, and values that are no signature.

use super::{Forgery, HEADER, Victim};
use crate::malleable::{P256_ORDER, bytes_of_hex, with_ed25519_order};
use crate::messages;
use crate::signer::{HMAC, P256, RSA, Signer, part};

impl Victim<'_> {
    /// Tokens that the provider has not signed.
    pub fn not_signed(&self) -> Vec<Forgery> {
        let mut forgeries = self.without_a_key();
        forgeries.extend(self.by_other_keys());
        forgeries.extend(self.by_the_wrong_algorithm());
        forgeries.extend(self.by_values_that_need_no_key());
        forgeries
    }

    /// This header and the claims that the attacker wants, with any signature.
    fn unsigned(&self, header: &str, signature: impl AsRef<[u8]>) -> String {
        format!("{}.{}.{}", part(header), part(self.wanted()), part(signature))
    }

    fn without_a_key(&self) -> Vec<Forgery> {
        let good = self.token(self.attacker);
        let (_, signature) = good.rsplit_once('.').expect("three parts");
        let borrowed = |header: &str| format!("{}.{}.{signature}", part(header), part(self.wanted()));
        let mut forgeries = vec![
            Forgery::rejected(borrowed(HEADER), messages::INVALID_SIGNATURE),
            Forgery::rejected(self.unsigned(HEADER, ""), messages::INVALID_SIGNATURE),
            Forgery::rejected(self.unsigned(r#"{"kid":"k1"}"#, ""), messages::HEADER_WITHOUT_ALG),
            Forgery::rejected(
                self.unsigned(r#"{"alg":["EdDSA"],"kid":"k1"}"#, ""),
                messages::HEADER_WITHOUT_ALG,
            ),
        ];
        for alg in [
            "none", "None", "NONE", "nOnE", "none ", "eddsa", "ed25519", "HS1", "ES256K", "A256KW", "dir",
        ] {
            let header = format!(r#"{{"alg":"{alg}","kid":"k1"}}"#);
            for token in [borrowed(&header), self.unsigned(&header, "")] {
                forgeries.push(Forgery::rejected(token, messages::ALGORITHM_NOT_SUPPORTED));
            }
        }
        forgeries
    }

    fn by_other_keys(&self) -> Vec<Forgery> {
        let own = Signer::ed25519();
        let by_own = |members: &str| {
            let header = format!(r#"{{"alg":"EdDSA"{members}}}"#);
            own.token_with_header("EdDSA", header, self.wanted())
        };
        let brought = format!(r#","kid":"k1","jwk":{}"#, own.jwk(""));
        let with_wrong_signature = [
            "",
            r#","kid":"k1""#,
            &brought,
            r#","kid":"k1","jku":"https://attacker.example/jwks.json""#,
            r#","kid":"k1","x5u":"file:///etc/passwd""#,
            r#","kid":"k1","x5c":["MIIB"],"x5t":"AA""#,
        ];
        let long = format!(r#","kid":"{}""#, "k".repeat(3_000));
        let without_a_key = [
            r#","kid":"x' or kid = 'k1""#,
            r#","kid":"../../k1""#,
            r#","kid":"k1 ""#,
            r#","kid":"K1""#,
            r#","kid":"""#,
            &long,
        ];
        let without_a_name = [r#","kid":1"#, r#","kid":null"#, r#","kid":["k1"]"#];
        let wrong = with_wrong_signature
            .iter()
            .map(|members| Forgery::rejected(by_own(members), messages::INVALID_SIGNATURE));
        let unknown = without_a_key
            .iter()
            .map(|members| Forgery::rejected(by_own(members), messages::NO_KEY_OF_TOKEN));
        let nameless = without_a_name
            .iter()
            .map(|members| Forgery::rejected(by_own(members), messages::HEADER_WITHOUT_KID));
        wrong.chain(unknown).chain(nameless).collect()
    }

    fn by_the_wrong_algorithm(&self) -> Vec<Forgery> {
        let named = |alg: &str, kid: &str| format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
        let token = |signer: &Signer, alg: &str, header: String| signer.token_with_header(alg, header, self.wanted());
        let mut forgeries = vec![
            Forgery::rejected(
                token(&HMAC, "HS256", named("HS256", "k2")),
                messages::ALGORITHM_MISMATCH,
            ),
            Forgery::rejected(token(&RSA, "RS256", named("RS256", "k4")), messages::ALGORITHM_MISMATCH),
        ];
        // The public key is the secret, in any notation.
        for (signer, kid) in [(self.key, "k1"), (&*RSA, "k2"), (&*P256, "k3")] {
            for secret in signer.public_texts() {
                let forger = Signer::Hmac(secret);
                let forged = token(&forger, "HS256", named("HS256", kid));
                forgeries.push(Forgery::rejected(forged, messages::ALGORITHM_MISMATCH));
            }
        }
        // The right key, with a different hash or padding than the header says.
        for (signer, real, claimed, kid) in [
            (&*RSA, "RS256", "RS512", "k2"),
            (&*RSA, "PS256", "RS256", "k2"),
            (&*RSA, "RS256", "PS256", "k2"),
            (&*HMAC, "HS256", "HS512", "k4"),
        ] {
            let forged = token(signer, real, named(claimed, kid));
            forgeries.push(Forgery::rejected(forged, messages::INVALID_SIGNATURE));
        }
        // Secrets that can be guessed.
        for secret in ["", "secret", "k4"] {
            let forged = token(&Signer::Hmac(secret.into()), "HS256", named("HS256", "k4"));
            forgeries.push(Forgery::rejected(forged, messages::INVALID_SIGNATURE));
        }
        forgeries
    }

    fn by_values_that_need_no_key(&self) -> Vec<Forgery> {
        let signatures = |alg: &str, kid: &str, values: Vec<Vec<u8>>| {
            let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
            let forged = values.into_iter().map(|value| self.unsigned(&header, value));
            let rejected = forged.map(|token| Forgery::rejected(token, messages::INVALID_SIGNATURE));
            rejected.collect::<Vec<_>>()
        };
        // CVE-2022-21449: r = s = 0.
        let (zero, order) = (vec![0; 32], bytes_of_hex(P256_ORDER));
        let one = [vec![0; 31], vec![1]].concat();
        let ecdsa = [
            (&zero, &zero),
            (&order, &order),
            (&one, &zero),
            (&zero, &one),
            (&one, &one),
        ];
        let mut ecdsa: Vec<Vec<u8>> = ecdsa.iter().map(|(r, s)| [r.as_slice(), s].concat()).collect();
        let signed = |signer: &Signer, alg: &str, kid: &str| {
            let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
            signer.sign(alg, format!("{}.{}", part(header), part(self.wanted())).as_bytes())
        };
        let fixed = signed(&P256, "ES256", "k3");
        ecdsa.extend([der(&fixed), fixed[..63].to_vec(), [&[0], &fixed[..]].concat()]);
        let modulus = RSA.modulus();
        let mut below = modulus.clone();
        *below.last_mut().expect("a modulus") -= 1;
        let rsa = vec![
            vec![0; 256],
            [vec![0; 255], vec![1]].concat(),
            below,
            modulus,
            signed(&RSA, "RS256", "k2")[..255].to_vec(),
        ];
        let mac = signed(&HMAC, "HS256", "k4");
        [
            signatures("ES256", "k3", ecdsa),
            signatures("RS256", "k2", rsa.clone()),
            signatures("PS256", "k2", rsa),
            signatures(
                "EdDSA",
                "k1",
                vec![vec![0; 64], with_ed25519_order(&signed(self.key, "EdDSA", "k1"))],
            ),
            signatures("HS256", "k4", vec![vec![0; 32], mac[..16].to_vec(), mac[..1].to_vec()]),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// An ECDSA signature as ASN.1: a sequence of two integers.
fn der(fixed: &[u8]) -> Vec<u8> {
    let integer = |value: &[u8]| {
        let zeros = value.iter().take_while(|byte| **byte == 0).count();
        let value = &value[zeros..];
        let sign: &[u8] = if value[0] < 0x80 { &[] } else { &[0] };
        let length = u8::try_from(sign.len() + value.len()).expect("a short integer");
        [&[2, length], sign, value].concat()
    };
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let integers = [integer(r), integer(s)].concat();
    let length = u8::try_from(integers.len()).expect("a short sequence");
    [&[0x30, length], &integers[..]].concat()
}
