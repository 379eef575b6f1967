//! The form in which a comment allows findings: `auth.check: allow <finding> because <reason>`. It is plain Rust, so that a
//! test can try it.

/// The begin of each part of a comment that is for `auth.check()`.
const BEGIN: &[u8] = b"auth.check:";

/// A finding that a comment allows, and the reason.
#[derive(Debug, PartialEq, Eq)]
pub struct Allowance {
    pub finding: Vec<u8>,
    pub reason: Vec<u8>,
}

/// The allowances of a comment. A part without a name or a reason allows nothing, and is returned as it is.
pub fn of_comment(comment: &[u8]) -> Vec<Result<Allowance, Vec<u8>>> {
    let mut all = Vec::new();
    let mut rest = after(comment);
    while let Some(part) = rest {
        let end = find(part, BEGIN).unwrap_or(part.len());
        rest = after(part);
        all.extend(of_part(part[..end].trim_ascii()));
    }
    all
}

/// One entry for each name, which commas separate.
fn of_part(part: &[u8]) -> Vec<Result<Allowance, Vec<u8>>> {
    let Some((names, reason)) = part.strip_prefix(b"allow ").and_then(|text| split(text, b" because ")) else {
        return vec![Err(part.to_vec())];
    };
    let names = names.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let is_name = |name: &[u8]| !name.is_empty() && name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
    let of_name = |name: &[u8]| match is_name(name) {
        true => Ok(Allowance {
            finding: name.to_vec(),
            reason: reason.trim_ascii().to_vec(),
        }),
        false => Err(part.to_vec()),
    };
    names.map(of_name).collect()
}

fn after(text: &[u8]) -> Option<&[u8]> {
    split(text, BEGIN).map(|(_, rest)| rest)
}

fn split<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let begin = find(text, at)?;
    Some((&text[..begin], &text[begin + at.len()..]))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
