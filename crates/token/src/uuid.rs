//! UUIDs as text: the canonical form only.

/// Returns the UUID if `text` is its canonical form (RFC 9562 §4), with lower-case letters, as providers write it.
///
/// PostgreSQL's `uuid_in` accepts many spellings of one UUID. Here only one is accepted, because two different user ids are
/// two users. Where users can choose their user id, a second spelling would let one user become another.
pub fn parse(text: &str) -> Option<[u8; 16]> {
    let mut rest = text.as_bytes();
    let mut uuid = [0_u8; 16];
    for (index, byte) in uuid.iter_mut().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            rest = rest.strip_prefix(b"-")?;
        }
        let (pair, tail) = rest.split_first_chunk::<2>()?;
        *byte = hex(pair)?;
        rest = tail;
    }
    rest.is_empty().then_some(uuid)
}

fn hex(pair: &[u8; 2]) -> Option<u8> {
    if !pair.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()
}
