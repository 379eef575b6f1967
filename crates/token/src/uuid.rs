//! Texts that are a UUID: in the canonical form, and in no other spelling.

/// The UUID that `text` is, if it is 32 digits in groups of 8, 4, 4, 4 and 12 with hyphens between them (RFC 9562 §4),
/// the letters small, as providers write them.
///
/// PostgreSQL's `uuid_in` takes many spellings of one UUID. Two user ids that differ are two users, so that only one of
/// them may be it: where users choose what becomes their user id, one could else be another.
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
