//! The flat form: every identity is read back as it was written, and arbitrary bytes do no harm.

use std::borrow::Cow;

use pg_session_jwt_token::NumericDate;
use pg_session_jwt_token::identity::{FlatIdentity, IdentityText};
use pg_session_jwt_token::{Error, Identity};
use proptest::collection::vec;
use proptest::prelude::any;
use rstest::rstest;
use testkit::cases::check;

fn utf8(text: &str) -> Option<Cow<'_, [u8]>> {
    Some(Cow::Borrowed(text.as_bytes()))
}

fn latin1(text: &str) -> Option<Cow<'_, [u8]>> {
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).ok())
        .collect::<Option<Vec<u8>>>()
        .map(Cow::Owned)
}

/// Fails unless every reader gives what the identity has, its texts in the encoding of `encode`.
pub fn assert_round_trip(identity: &Identity, encode: fn(&str) -> Option<Cow<'_, [u8]>>) {
    let bytes = identity.to_bytes(encode).unwrap();
    let flat = FlatIdentity::new(&bytes);
    let texts = [
        (IdentityText::UserId, identity.user_id.as_deref()),
        (IdentityText::Issuer, identity.issuer.as_deref()),
        (IdentityText::KeyId, identity.kid.as_deref()),
        (IdentityText::Role, identity.role.as_deref()),
        (IdentityText::Email, identity.email.as_deref()),
        (IdentityText::Claims, Some(identity.claims.as_str())),
    ];
    for (text, expected) in texts {
        assert_eq!(
            flat.text(text),
            expected.map(|expected| encode(expected).unwrap()).as_deref(),
            "{text:?}"
        );
    }
    assert_eq!(flat.uid(), identity.uid());
    assert_eq!(flat.organization_id(), identity.organization_id);
    assert_eq!(flat.has_organization(), identity.has_organization);
    assert_eq!(flat.user_id_malformed(), identity.user_id_malformed);
    assert_eq!(flat.expires(), identity.expires);
    assert_eq!(flat.not_before(), identity.not_before);
    assert_eq!(flat.jti(), identity.jti);
    let is_ascii = texts.iter().flat_map(|(_, text)| *text).all(str::is_ascii);
    assert_eq!(flat.is_ascii(), is_ascii);
}

/// Calls every reader.
fn read_all(bytes: &[u8]) -> usize {
    let flat = FlatIdentity::new(bytes);
    let _ = (
        flat.uid(),
        flat.organization_id(),
        flat.expires(),
        flat.not_before(),
        flat.jti(),
        flat.is_ascii(),
    );
    let _ = (flat.has_organization(), flat.user_id_malformed());
    let texts = [
        IdentityText::UserId,
        IdentityText::Issuer,
        IdentityText::KeyId,
        IdentityText::Role,
        IdentityText::Email,
        IdentityText::Claims,
    ];
    texts
        .into_iter()
        .filter_map(|text| flat.text(text))
        .map(<[u8]>::len)
        .sum()
}

fn full() -> Identity {
    Identity {
        user_id: Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".to_owned()),
        user_id_malformed: true,
        issuer: Some("https://issuer.example/ä".to_owned()),
        kid: Some("k1".to_owned()),
        role: Some("authenticated".to_owned()),
        email: Some("ä@b.example".to_owned()),
        claims: r#"{"sub":"ä"}"#.to_owned(),
        has_organization: true,
        organization_id: Some([7; 16]),
        expires: Some(NumericDate::from_micros(1_800_000_000_000_001)),
        not_before: Some(NumericDate::from_micros(1_700_000_000_000_002)),
        jti: Some(-5),
    }
}

#[test]
fn a_full_and_an_empty_identity_come_back() {
    for encode in [utf8, latin1] {
        assert_round_trip(&full(), encode);
        assert_round_trip(&Identity::default(), encode);
    }
}

#[test]
fn a_field_may_be_absent_whatever_the_others_are() {
    for absent in 0..1 << 10 {
        let mut identity = full();
        let keep = |bit: u32| absent & (1 << bit) == 0;
        identity.user_id = identity.user_id.filter(|_| keep(0));
        identity.issuer = identity.issuer.filter(|_| keep(1));
        identity.kid = identity.kid.filter(|_| keep(2));
        identity.role = identity.role.filter(|_| keep(3));
        identity.email = identity.email.filter(|_| keep(4));
        identity.organization_id = identity.organization_id.filter(|_| keep(5));
        identity.expires = identity.expires.filter(|_| keep(6));
        identity.jti = identity.jti.filter(|_| keep(7));
        identity.not_before = identity.not_before.filter(|_| keep(8));
        (identity.has_organization, identity.user_id_malformed) = (keep(9), !keep(9));
        assert_round_trip(&identity, latin1);
    }
}

#[test]
fn an_empty_text_is_not_an_absent_one() {
    let empty = || Some(String::new());
    let texts = Identity {
        user_id: empty(),
        issuer: empty(),
        kid: empty(),
        role: empty(),
        email: empty(),
        ..Identity::default()
    };
    assert_round_trip(&texts, utf8);
    let zeros = Identity {
        organization_id: Some([0; 16]),
        expires: Some(NumericDate::from_micros(0)),
        jti: Some(0),
        ..texts
    };
    assert_round_trip(&zeros, utf8);
}

#[rstest]
fn the_ends_of_the_number_range_are_read_back(#[values(i64::MIN, -1, 0, 1, i64::MAX)] number: i64) {
    let expires = Some(NumericDate::from_micros(number));
    assert_round_trip(
        &Identity {
            expires,
            jti: Some(number),
            ..full()
        },
        utf8,
    );
}

#[test]
fn a_text_that_cannot_be_converted_rejects_the_whole() {
    let euro = || "€".to_owned();
    let one_each = [
        Identity {
            user_id: Some(euro()),
            ..full()
        },
        Identity {
            issuer: Some(euro()),
            ..full()
        },
        Identity {
            kid: Some(euro()),
            ..full()
        },
        Identity {
            role: Some(euro()),
            ..full()
        },
        Identity {
            email: Some(euro()),
            ..full()
        },
        Identity {
            claims: euro(),
            ..full()
        },
    ];
    for identity in one_each {
        assert_eq!(identity.to_bytes(latin1), Err(Error::NotEncodable), "{identity:?}");
        assert_round_trip(&identity, utf8);
    }
}

#[test]
fn the_layout_is_the_one_that_is_drawn() {
    let identity = Identity {
        user_id: Some("ab".to_owned()),
        claims: "{}".to_owned(),
        jti: Some(3),
        ..Identity::default()
    };
    let mut expected = vec![0; 82];
    expected[..2].copy_from_slice(&(1_u16 | 32 | 1 << 14).to_le_bytes());
    expected[50] = 3;
    for (index, end) in [2, 2, 2, 2, 2, 4].into_iter().enumerate() {
        expected[58 + 4 * index] = end;
    }
    expected.extend_from_slice(b"ab{}");
    assert_eq!(identity.to_bytes(utf8), Ok(expected));
}

#[test]
fn foreign_bytes_are_read_without_looking_beyond_them() {
    let bytes = full().to_bytes(utf8).unwrap();
    for length in 0..bytes.len() {
        assert!(read_all(&bytes[..length]) <= length);
    }
    let mut within = 0;
    check(0x5eed_0003, 20_000, &vec(any::<u8>(), 0..400), |mut bytes| {
        // One byte of each offset, or nearly all would point beyond the content.
        for offset in bytes.iter_mut().skip(59).take(23).step_by(2) {
            *offset = 0;
        }
        for offset in bytes.iter_mut().skip(60).take(22).step_by(4) {
            *offset = 0;
        }
        within += usize::from(read_all(&bytes) > 0);
    });
    assert!(within > 1_000, "only {within} had a text that could be read");
    assert_eq!(read_all(&[0xFF; 200]), 0);
}
