//! Whether a certificate is that of an authority. webpki does not ask that of the certificates that it has to trust.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};

/// RFC 5280 §4.2.1.9.
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const VERSION: Tag = context(0);
const EXTENSIONS: Tag = context(3);

const fn context(number: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(number),
    }
}

/// Whether the certificate may issue others: its basic constraints say so, or it is of version 1, which has none.
pub fn is_one(certificate: &[u8]) -> bool {
    read(certificate).unwrap_or(false)
}

fn read(certificate: &[u8]) -> der::Result<bool> {
    AnyRef::from_der(certificate)?.sequence(|certificate| {
        let is_one = certificate.sequence(|fields| {
            let mut is_one = Tag::peek(fields)? != VERSION;
            while !fields.is_finished() {
                let field = AnyRef::decode(fields)?;
                if field.tag() == EXTENSIONS {
                    is_one = AnyRef::from_der(field.value())?.sequence(has_authority)?;
                }
            }
            Ok::<_, der::Error>(is_one)
        })?;
        skip(certificate)?;
        Ok(is_one)
    })
}

fn has_authority(extensions: &mut SliceReader<'_>) -> der::Result<bool> {
    let mut found = false;
    while !extensions.is_finished() {
        extensions.sequence(|extension| {
            let name = ObjectIdentifier::decode(extension)?;
            let mut value = AnyRef::decode(extension)?;
            // Whether it is critical, in front of the value.
            if value.tag() == Tag::Boolean {
                value = AnyRef::decode(extension)?;
            }
            if name == BASIC_CONSTRAINTS {
                found = AnyRef::from_der(value.value())?.sequence(|constraints| {
                    let is_one = !constraints.is_finished()
                        && Tag::peek(constraints)? == Tag::Boolean
                        && bool::decode(constraints)?;
                    skip(constraints)?;
                    Ok::<_, der::Error>(is_one)
                })?;
            }
            Ok::<_, der::Error>(())
        })?;
    }
    Ok(found)
}

/// Skips the rest.
fn skip(reader: &mut SliceReader<'_>) -> der::Result<()> {
    while !reader.is_finished() {
        AnyRef::decode(reader)?;
    }
    Ok(())
}
