//! The name that was probably meant, by the Levenshtein distance. It is plain Rust, so that a test can try it.

/// The greatest distance, as in PostgreSQL's own hints for columns.
const MAX_DISTANCE: usize = 3;

/// The nearest of some names, if it differs in at most three bytes and at most half of its length.
pub fn nearest<'a>(wanted: &[u8], names: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let near = names.filter_map(|name| {
        let most = MAX_DISTANCE.min(name.len() / 2);
        // Distances are measured only between names of nearly the same length, and no role's name has more than 63 bytes.
        let is_near = wanted.len().abs_diff(name.len()) <= most;
        let distance = is_near.then(|| distance(wanted, name))?;
        (distance <= most).then_some((distance, name))
    });
    near.min().map(|(_, name)| name)
}

/// How many bytes are to be inserted, removed or replaced to get from one name to another.
fn distance(one: &[u8], other: &[u8]) -> usize {
    // The distances of the beginning of `one` to each beginning of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, byte) in one.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (at, other) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(byte != other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
