//! Other texts of the same signature, for verifiers that compare numbers modulo the order of their group.

/// Order of the group of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3).
pub const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// Order of the group of P-521 (FIPS 186-5, SP 800-186 §3.2.1.5).
pub const P521_ORDER: &str = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa\
                              51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";
/// Order of the prime subgroup of edwards25519, little-endian (RFC 8032 §5.1).
const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

pub fn bytes_of_hex(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// ECDSA takes (r, n - s) for (r, s).
pub fn negated_p256(signature: &[u8]) -> Vec<u8> {
    negated(P256_ORDER, signature)
}

/// Like [`negated_p256`], in the group of this order.
pub fn negated(order: &str, signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let mut negated = bytes_of_hex(order);
    let mut borrow = 0;
    for (digit, subtrahend) in negated.iter_mut().zip(s).rev() {
        let difference = i16::from(*digit) - i16::from(*subtrahend) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    [r, &negated].concat()
}

/// RFC 8032 §5.1.7: S must be below the order, or every signature would have a second text.
pub fn with_ed25519_order(signature: &[u8]) -> Vec<u8> {
    let mut signature = signature.to_vec();
    let mut carry = 0;
    for (digit, addend) in signature[32..].iter_mut().zip(bytes_of_hex(ED25519_ORDER)) {
        let sum = u16::from(*digit) + u16::from(addend) + carry;
        carry = sum >> 8;
        *digit = sum.to_le_bytes()[0];
    }
    assert_eq!(carry, 0);
    signature
}
