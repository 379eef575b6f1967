//! A remedy that is SQL: it can be run as it stands. The first of several choices is run, and the others are comments.
//! It is plain Rust, so that a test can try it.

/// The choices in their order. Each begins in a separate line.
///
/// A name may contain a line break. Each line of the other choices therefore begins as a comment, so that nothing of a name
/// is run as SQL.
pub fn of_choices(choices: &[Vec<u8>]) -> Vec<u8> {
    let mut remedy = Vec::new();
    for (index, choice) in choices.iter().enumerate() {
        if index == 0 {
            remedy.extend(choice);
            continue;
        }
        remedy.extend(b"\n-- or: ");
        for byte in choice {
            remedy.push(*byte);
            if matches!(byte, b'\n' | b'\r') {
                remedy.extend(b"-- ");
            }
        }
    }
    remedy
}
