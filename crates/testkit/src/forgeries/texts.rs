//! Texts with a signature of the provider that are no token.

use super::{Forgery, HEADER, Victim};
use crate::messages;
use crate::signer::part;

impl Victim<'_> {
    /// Signatures for another purpose, and tokens whose text was changed.
    pub fn no_tokens(&self) -> Vec<Forgery> {
        let mut forgeries = self.other_headers();
        forgeries.extend(self.other_payloads());
        forgeries.extend(self.other_claims());
        forgeries.extend(self.other_encodings());
        forgeries
    }

    fn other_headers(&self) -> Vec<Forgery> {
        let with = |members: &str| self.signed(&format!(r#"{{"alg":"EdDSA","kid":"k1",{members}}}"#), self.wanted());
        let extensions = [
            r#""crit":["exp"]"#,
            r#""crit":[]"#,
            r#""crit":"b64""#,
            r#""b64":false"#,
            r#""b64":1"#,
        ];
        let twice = [
            r#""alg":"none""#,
            r#""alg":"EdDSA""#,
            r#""\u0061lg":"none""#,
            r#""kid":"k2""#,
        ];
        let rejected = extensions.map(|members| Forgery::rejected(with(members), messages::EXTENSION_NOT_SUPPORTED));
        let malformed = twice.map(|members| Forgery::rejected(with(members), messages::HEADER_NOT_JSON));
        rejected.into_iter().chain(malformed).collect()
    }

    fn other_payloads(&self) -> Vec<Forgery> {
        let claims = self.wanted();
        let inner = self.token(self.user);
        let texts = [
            inner.clone(),
            format!("\"{inner}\""),
            format!("[{claims}]"),
            format!("{claims}{claims}"),
            format!("/**/{claims}"),
            format!("{claims}//"),
            format!("\u{feff}{claims}"),
            claims.replacen('{', r#"{"x":NaN,"#, 1),
            claims.replacen('{', "{'x':1,", 1),
            claims.replacen('{', &format!(r#"{{"sub":"{}","#, self.attacker), 1),
            claims.replacen('{', &format!(r#"{{"s\u0075b":"{}","#, self.attacker), 1),
            claims.replace(self.user, &format!("{}\\u0000", self.user)),
            claims.replace(self.user, &format!("{}\0", self.user)),
            claims.replacen('{', r#"{"x":"\ud834","#, 1),
        ];
        let mut payloads: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
        // Bytes that are not UTF-8: a lone one, and an overlong NUL.
        for bytes in [&b"{\"x\":\"\xff\","[..], b"{\"x\":\"\xc0\x80\","] {
            payloads.push([bytes, &claims.as_bytes()[1..]].concat());
        }
        let signed = payloads.iter().map(|payload| self.signed(HEADER, payload));
        signed
            .map(|token| Forgery::rejected(token, messages::PAYLOAD_NOT_JSON))
            .collect()
    }

    fn other_claims(&self) -> Vec<Forgery> {
        let claims = self.wanted();
        let issuer = format!("\"{}\"", self.issuer);
        let of_issuer = |other: &str| self.signed(HEADER, claims.replace(&issuer, other));
        let issuers = [
            format!("\"{}\"", self.issuer.trim_end_matches('/')),
            format!("\"{}/\"", self.issuer),
            format!("\"{} \"", self.issuer),
            issuer.to_uppercase(),
            format!("[{issuer}]"),
            "null".to_owned(),
            "\"\"".to_owned(),
        ];
        let mut forgeries: Vec<Forgery> = issuers
            .iter()
            .map(|other| Forgery::rejected(of_issuer(other), messages::UNKNOWN_ISSUER))
            .collect();
        let expired = claims.replace(r#""exp":"#, r#""exp":1,"x":"#);
        forgeries.push(Forgery::rejected(self.signed(HEADER, expired), messages::EXPIRED));
        let early = format!(r#""sub":"{}","nbf":4000000000"#, self.user);
        forgeries.push(Forgery::rejected(self.token_with(&early), messages::NOT_YET_VALID));
        forgeries
    }

    fn other_encodings(&self) -> Vec<Forgery> {
        let good = self.token(self.user);
        let (signing_input, signature) = good.rsplit_once('.').expect("three parts");
        let mut forgeries = Vec::new();
        for token in [
            "...".to_owned(),
            signing_input.to_owned(),
            format!("{good}."),
            format!(".{good}"),
            format!("{good}.{}.{}", part("iv"), part("tag")),
            good.replace('.', "%2E"),
        ] {
            forgeries.push(Forgery::rejected(token, messages::INVALID_ENCODING));
        }
        forgeries.push(Forgery::rejected(format!("Bearer {good}"), messages::INVALID_ENCODING));
        let padded = self
            .key
            .seal("EdDSA", &format!("{}==.{}", part(HEADER), part(self.wanted())));
        forgeries.push(Forgery::rejected(padded, messages::HEADER_NOT_BASE64URL));
        for end in ["=", "==", "\n", "\u{a0}"] {
            forgeries.push(Forgery::rejected(
                format!("{good}{end}"),
                messages::SIGNATURE_NOT_BASE64URL,
            ));
        }
        // The other alphabet, and bits that no byte uses: the last character of 64 bytes has four of them.
        let cut = &signature[..signature.len() - 1];
        for last in ["/", "+", "B", "_"] {
            let token = format!("{signing_input}.{cut}{last}");
            forgeries.push(Forgery::rejected(token, messages::SIGNATURE_NOT_BASE64URL));
        }
        forgeries
    }
}
