//! The compact serialization (RFC 7515 §7.1): three parts and a header. Nothing in it is trusted yet.

use crate::algorithm::{self, Algorithm};
use crate::error::{Error, Part};
use crate::excerpt::Excerpt;
use crate::json::{self, Json};
use crate::limits::MAX_TOKEN_BYTES;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A token split into its parts, still encoded.
#[derive(Debug)]
pub struct Compact<'a> {
    header: &'a str,
    payload: &'a str,
    /// The signature, still encoded, as the primitive expects it; canonical base64url.
    pub signature: &'a str,
    /// The signed text: header, dot and payload as they stand in the token (RFC 7515 §5.2 step 8).
    pub signing_input: &'a str,
}

/// The header (RFC 7515 §4). Members that contain keys or refer to them (jwk, jku, x5c, x5u, x5t) are not read.
#[derive(Debug)]
pub struct Header {
    /// The signature algorithm.
    pub algorithm: Algorithm,
    /// The key ID.
    pub kid: Option<String>,
}

impl<'a> Compact<'a> {
    /// Splits a token.
    ///
    /// # Errors
    /// [`Error::TokenTooLong`], [`Error::NotCompact`]; [`Error::NotBase64Url`] for the signature, and for a part that is not UTF-8.
    pub fn parse(token: &'a [u8]) -> Result<Self, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TokenTooLong { bytes: token.len() });
        }
        let parts = token.split(is_dot).count();
        if parts != 3 {
            return Err(Error::NotCompact { parts });
        }
        // A text that is not UTF-8 is not base64url either.
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
    /// For a header that is not a JSON object, has an unsupported algorithm, or requires an extension.
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
        let algorithm = algorithm::by_name(alg).ok_or_else(|| Error::UnknownAlgorithm { alg: Excerpt::new(alg) })?;
        let kid = match members.get("kid") {
            None => None,
            Some(Json::String(kid)) => Some(kid.as_ref().to_owned()),
            Some(_) => return Err(Error::HeaderMember { member: "kid" }),
        };
        Ok(Header { algorithm, kid })
    }

    /// Decodes the payload. It can be trusted only after the signature was verified.
    ///
    /// # Errors
    /// [`Error::NotBase64Url`], or [`Error::NotJson`] where it is not UTF-8.
    pub fn payload(&self) -> Result<String, Error> {
        decode_text(self.payload, Part::Payload)
    }
}

fn is_dot(byte: &u8) -> bool {
    *byte == b'.'
}

/// The part that contains the byte at `index`.
fn part_at(token: &[u8], index: usize) -> Part {
    match token.iter().take(index).filter(|byte| is_dot(byte)).count() {
        0 => Part::Header,
        1 => Part::Payload,
        _ => Part::Signature,
    }
}

/// Decodes strictly, so that a token has one form only: no padding, no white space, unused bits zero.
fn decode(text: &str, part: Part) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::NotBase64Url { part })
}

fn decode_text(text: &str, part: Part) -> Result<String, Error> {
    String::from_utf8(decode(text, part)?).map_err(|_| Error::NotJson {
        part,
        problem: "it is not UTF-8".to_owned(),
    })
}
