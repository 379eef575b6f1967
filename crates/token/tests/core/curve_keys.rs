//! RFC 7518 §6.2 and RFC 8037 §2: points that are on their curve, of full order, and written in one way.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::{Error, KeyProblem};
use rstest::rstest;

use crate::sign::{ED25519, P256, P384, P521, Signer, part};

fn problem(jwk: &str) -> Option<KeyProblem> {
    match Key::from_public_jwk(jwk) {
        Ok(_) => None,
        Err(Error::Key(problem)) => Some(problem),
        Err(other) => panic!("{other:?}"),
    }
}

fn ec(curve: &str, x: &[u8], y: &[u8]) -> Option<KeyProblem> {
    problem(&format!(
        r#"{{"kty":"EC","crv":"{curve}","x":"{}","y":"{}"}}"#,
        part(x),
        part(y)
    ))
}

fn okp(curve: &str, x: &[u8]) -> Option<KeyProblem> {
    problem(&format!(r#"{{"kty":"OKP","crv":"{curve}","x":"{}"}}"#, part(x)))
}

/// The coordinates of a good key.
fn point(signer: &Signer) -> (Vec<u8>, Vec<u8>) {
    use aws_lc_rs::signature::KeyPair;
    let Signer::Ecdsa { pair, .. } = signer else {
        unreachable!()
    };
    let point = pair.public_key().as_ref();
    let half = point.len() / 2;
    (point[1..=half].to_vec(), point[half + 1..].to_vec())
}

/// attack: 34
#[rstest]
#[case("P-256", &*P256)]
#[case("P-384", &*P384)]
#[case("P-521", &*P521)]
fn a_point_must_be_on_its_curve(#[case] curve: &str, #[case] signer: &Signer) {
    let (x, y) = point(signer);
    assert_eq!(ec(curve, &x, &y), None);
    let zeros = vec![0; x.len()];
    let ones = vec![0xFF; x.len()];
    let mut off = y.clone();
    off[7] ^= 0x10;
    for (x, y) in [
        (&x, &off),
        (&off, &x),
        (&y, &x),
        (&zeros, &zeros),
        (&x, &zeros),
        (&ones, &ones),
        (&x, &ones),
    ] {
        assert_eq!(ec(curve, x, y), Some(KeyProblem::NotOnCurve), "{curve} {x:?} {y:?}");
    }
}

/// attack: 34
#[test]
fn a_coordinate_is_not_longer_than_its_curve() {
    for (curve, signer, expected) in [("P-256", &*P256, 32), ("P-384", &*P384, 48), ("P-521", &*P521, 66)] {
        let (x, y) = point(signer);
        let wrong = |member| Some(KeyProblem::Length { member, expected });
        // A coordinate that lacks its last byte is a smaller number.
        assert_eq!(ec(curve, &x[..x.len() - 1], &y), Some(KeyProblem::NotOnCurve));
        assert_eq!(ec(curve, &x, &y[..y.len() - 1]), Some(KeyProblem::NotOnCurve));
        assert_eq!(ec(curve, &[&[1], &x[..]].concat(), &y), wrong("x"));
        assert_eq!(ec(curve, &x, &[&[1], &y[..]].concat()), wrong("y"));
        assert_eq!(ec(curve, &[], &y), wrong("x"));
        assert_eq!(ec(curve, &[&[4], &x[..], &y[..]].concat(), &y), wrong("x"));
    }
    let ((x, y), (long_x, long_y)) = (point(&P256), point(&P384));
    assert_eq!(ec("P-384", &x, &y), Some(KeyProblem::NotOnCurve));
    assert_eq!(
        ec("P-256", &long_x, &long_y),
        Some(KeyProblem::Length {
            member: "x",
            expected: 32
        })
    );
}

/// attack: 37
#[rstest]
fn other_ec_curves_are_rejected(
    #[values(
        "P-512",
        "P521",
        "secp521r1",
        "secp256k1",
        "P-192",
        "P-256K",
        "p-256",
        "P256",
        "prime256v1",
        "Ed25519",
        "BP-256",
        ""
    )]
    curve: &str,
) {
    let (x, y) = point(&P256);
    assert_eq!(ec(curve, &x, &y), Some(KeyProblem::Curve), "{curve}");
}

/// attack: 37
#[rstest]
fn other_okp_curves_are_rejected(#[values("X25519", "Ed448", "X448", "ed25519", "P-256", "Ed25519 ", "")] curve: &str) {
    assert_eq!(okp(curve, &[9; 32]), Some(KeyProblem::Curve), "{curve}");
}

#[rstest]
#[case(r#"{"kty":"EC","x":"AA","y":"AA"}"#, KeyProblem::Member("crv"))]
#[case(r#"{"kty":"EC","crv":7,"x":"AA","y":"AA"}"#, KeyProblem::NotText("crv"))]
#[case(r#"{"kty":"EC","crv":"P-256","y":"AA"}"#, KeyProblem::Member("x"))]
#[case(r#"{"kty":"EC","crv":"P-256","x":[1],"y":"AA"}"#, KeyProblem::NotText("x"))]
#[case(r#"{"kty":"EC","crv":"P-256","x":"A","y":"AA"}"#, KeyProblem::NotBase64Url("x"))]
#[case(r#"{"kty":"OKP","crv":"Ed25519"}"#, KeyProblem::Member("x"))]
#[case(r#"{"kty":"OKP","crv":"Ed25519","x":null}"#, KeyProblem::Member("x"))]
#[case(r#"{"kty":"OKP","crv":"Ed25519","x":"/+=="}"#, KeyProblem::NotBase64Url("x"))]
fn every_member_of_a_point_must_be_a_base64url_text(#[case] jwk: &str, #[case] expected: KeyProblem) {
    assert_eq!(problem(jwk), Some(expected), "{jwk}");
}

#[test]
fn y_must_be_a_base64url_text() {
    let y = part(point(&P256).1);
    let x = part(point(&P256).0);
    let without_y = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}"}}"#);
    assert_eq!(problem(&without_y), Some(KeyProblem::Member("y")));
    let blank = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y} "}}"#);
    assert_eq!(problem(&blank), Some(KeyProblem::NotBase64Url("y")));
}

#[rstest]
fn an_ed25519_key_has_32_bytes(#[values(0, 1, 31, 33, 57, 64)] length: usize) {
    let expected = Some(KeyProblem::Length {
        member: "x",
        expected: 32,
    });
    assert_eq!(okp("Ed25519", &vec![9; length]), expected, "{length}");
}

#[test]
fn a_valid_ed25519_key_is_accepted() {
    assert_eq!(problem(&ED25519.jwk("")), None);
}

/// attack: 36
#[test]
fn the_eight_points_of_small_order_are_rejected() {
    for point in EIGHT_TORSION {
        assert!(point.is_small_order());
        assert_eq!(
            okp("Ed25519", point.compress().as_bytes()),
            Some(KeyProblem::WeakPoint),
            "{point:?}"
        );
    }
}

/// RFC 8032 §5.1.3: y must be below p = 2^255 - 19, and x = 0 has no sign. Nineteen values of y are not below, each with
/// two signs. Together with the two signed zeros (y = 1, y = -1) these are all encodings that are not canonical.
/// attack: 36
#[test]
fn every_ed25519_point_in_a_second_form_is_rejected() {
    let mut on_curve = 0;
    for sign in [0, 0x80] {
        for above in 0..19 {
            let mut y = [0xFF; 32];
            y[0] = 0xED + above;
            y[31] = 0x7F | sign;
            let decompressed = CompressedEdwardsY(y).decompress();
            on_curve += u8::from(decompressed.is_some());
            let expected = decompressed.map_or(KeyProblem::NotOnCurve, |_| KeyProblem::WeakPoint);
            assert_eq!(okp("Ed25519", &y), Some(expected), "{y:?}");
        }
    }
    assert!(
        on_curve >= 4,
        "at least y = p and y = p + 1 with both signs are read as points"
    );
    let mut one = [0; 32];
    (one[0], one[31]) = (1, 0x80);
    let mut minus_one = [0xFF; 32];
    minus_one[0] = 0xEC;
    for signed_zero in [one, minus_one] {
        assert_eq!(okp("Ed25519", &signed_zero), Some(KeyProblem::WeakPoint));
    }
}

#[test]
fn an_ed25519_y_that_no_point_has_is_rejected() {
    let strangers: Vec<[u8; 32]> = (2..=255)
        .map(|low| {
            let mut y = [0; 32];
            y[0] = low;
            y
        })
        .filter(|y| CompressedEdwardsY(*y).decompress().is_none())
        .collect();
    assert!(strangers.len() > 50);
    for y in strangers {
        assert_eq!(okp("Ed25519", &y), Some(KeyProblem::NotOnCurve), "{y:?}");
    }
}
