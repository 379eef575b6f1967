//! The compact serialization (RFC 7515 §7.1): three parts and a header. Nothing in it is trusted yet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;

use super::error::{Error, Excerpt, Part};
use super::json::{self, Json};

/// Bytes of a whole token. Providers stay below 16 KiB, the most that common HTTP servers take as one header.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// A token cut into its parts, still encoded.
#[derive(Debug)]
pub struct Compact<'a> {
    header: &'a str,
    payload: &'a str,
    /// Encoded, as the signature primitive takes it; canonical base64url.
    pub signature: &'a str,
    /// Header, dot and payload as they stand in the token: what is signed (RFC 7515 §5.2 step 8).
    pub signing_input: &'a str,
}

/// What the header says (RFC 7515 §4). Members that carry or point to keys (jwk, jku, x5c, x5u, x5t) are not read.
#[derive(Debug)]
pub struct Header {
    /// The signature algorithm.
    pub algorithm: Algorithm,
    /// The key's name.
    pub kid: Option<String>,
}

impl<'a> Compact<'a> {
    /// Cuts a token.
    ///
    /// # Errors
    /// [`Error::TokenTooLong`], [`Error::NotCompact`]; [`Error::NotBase64Url`] for the signature, and for what is not UTF-8.
    pub fn parse(token: &'a [u8]) -> Result<Self, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TokenTooLong { bytes: token.len() });
        }
        let parts = token.split(is_dot).count();
        if parts != 3 {
            return Err(Error::NotCompact { parts });
        }
        // What is not UTF-8 cannot be base64url either.
        let text = std::str::from_utf8(token).map_err(|error| Error::NotBase64Url {
            part: part_at(token, error.valid_up_to()),
        })?;
        let (signing_input, signature) = text.rsplit_once('.').ok_or(Error::NotCompact { parts })?;
        let (header, payload) = signing_input.split_once('.').ok_or(Error::NotCompact { parts })?;
        decode(signature, Part::Signature)?;
        Ok(Compact {
            header,
            payload,
            signature,
            signing_input,
        })
    }

    /// Reads the header.
    ///
    /// # Errors
    /// For a header that is no JSON object, that names no known algorithm, or that asks for an extension.
    pub fn header(&self) -> Result<Header, Error> {
        let text = decode_text(self.header, Part::Header)?;
        let members = json::parse_object(&text).map_err(|problem| Error::NotJson {
            part: Part::Header,
            problem,
        })?;
        for member in ["crit", "b64"] {
            if members.get(member).is_some() {
                return Err(Error::Critical { member });
            }
        }
        let alg = members
            .get("alg")
            .and_then(Json::as_str)
            .ok_or(Error::HeaderMember { member: "alg" })?;
        let algorithm = algorithm(alg).ok_or_else(|| Error::UnknownAlgorithm { alg: Excerpt::new(alg) })?;
        let kid = match members.get("kid") {
            None => None,
            Some(Json::String(kid)) => Some(kid.as_ref().to_owned()),
            Some(_) => return Err(Error::HeaderMember { member: "kid" }),
        };
        Ok(Header { algorithm, kid })
    }

    /// Decodes the payload. It is to be believed only after the signature was checked.
    ///
    /// # Errors
    /// [`Error::NotBase64Url`], or [`Error::NotJson`] where it is not UTF-8.
    pub fn payload(&self) -> Result<String, Error> {
        decode_text(self.payload, Part::Payload)
    }
}

/// The algorithm of that name, compared as bytes (RFC 7515 §4.1.1). ES512 and HS512's like are in RFC 7518 §3.1;
/// `Ed25519` is RFC 9864's name of the one kind of EdDSA that is supported.
pub fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "HS256" => Algorithm::HS256,
        "HS384" => Algorithm::HS384,
        "HS512" => Algorithm::HS512,
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" | "Ed25519" => Algorithm::EdDSA,
        _ => return None,
    })
}

fn is_dot(byte: &u8) -> bool {
    *byte == b'.'
}

/// The part in which this byte is.
fn part_at(token: &[u8], place: usize) -> Part {
    match token.iter().take(place).filter(|byte| is_dot(byte)).count() {
        0 => Part::Header,
        1 => Part::Payload,
        _ => Part::Signature,
    }
}

/// Strict: no padding, no white space, unused bits zero; so a token has one form only.
fn decode(text: &str, part: Part) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::NotBase64Url { part })
}

fn decode_text(text: &str, part: Part) -> Result<String, Error> {
    String::from_utf8(decode(text, part)?).map_err(|_| Error::NotJson {
        part,
        problem: "it is not UTF-8".to_owned(),
    })
}
