//! Texts that are a UUID, as PostgreSQL's own input function takes them.

/// The UUID that `text` is: 32 hex digits, optionally with a hyphen after any group of four, optionally in braces;
/// what `uuid_in` accepts (PostgreSQL, `src/backend/utils/adt/uuid.c`), so that it equals `text::uuid` without its error.
pub fn parse(text: &str) -> Option<[u8; 16]> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut rest = inner.as_bytes();
    let mut uuid = [0_u8; 16];
    for (index, byte) in uuid.iter_mut().enumerate() {
        let (pair, tail) = rest.split_first_chunk::<2>()?;
        *byte = hex(pair)?;
        // After the second, fourth … fourteenth byte, that is, after each four digits but the last.
        rest = match tail.split_first() {
            Some((b'-', after)) if index % 2 == 1 && index < 15 => after,
            _ => tail,
        };
    }
    rest.is_empty().then_some(uuid)
}

fn hex(pair: &[u8; 2]) -> Option<u8> {
    // from_str_radix alone would take "+1".
    if !pair.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()
}
