//! attacks.txt: each attack with its number, and the answers to it that are not tests.

/// What some attacks need that an end user with HTTP requests does not have: the word in attacks.txt, and its meaning.
pub const NEEDS: [(&str, &str); 4] = [
    ("provider", "the keys or the entry of an identity provider"),
    ("login", "a login by OAuth"),
    ("installation", "the files of the extension, or the right to install it"),
    ("administrator", "the right to administer the server or its databases"),
];

/// A line of attacks.txt.
pub struct Attack {
    pub number: usize,
    pub text: &'static str,
    /// A word of `NEEDS`.
    pub needs: Option<&'static str>,
    /// Sections of SECURITY.md and other pages, such as `docs/hardening.md#large-objects`.
    pub paragraphs: Vec<&'static str>,
    /// Findings of `auth.check()`.
    pub findings: Vec<&'static str>,
    /// Crates that deny.toml bans.
    pub banned_crates: Vec<&'static str>,
}

/// All attacks, in the order of the file.
pub fn attacks() -> Vec<Attack> {
    let lines = include_str!("attacks.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(attack).collect()
}

fn attack(line: &'static str) -> Attack {
    let (line, answers) = line.split_once(" -> ").unwrap_or((line, ""));
    let (number, text) = line
        .split_once(' ')
        .unwrap_or_else(|| panic!("a number and a text: {line}"));
    let (text, needs) = match text.strip_suffix(']').and_then(|text| text.rsplit_once(" [")) {
        Some((text, word)) => (text, Some(word)),
        None => (text, None),
    };
    assert!(
        needs.is_none_or(|needs| NEEDS.iter().any(|(word, _)| *word == needs)),
        "an unknown word in brackets: {line}"
    );
    let answers: Vec<&str> = answers.split(", ").filter(|answer| !answer.is_empty()).collect();
    let with = |prefix: &str| -> Vec<&'static str> {
        answers
            .iter()
            .filter_map(|answer| answer.strip_prefix(prefix))
            .collect()
    };
    let attack = Attack {
        number: number.parse().unwrap_or_else(|_| panic!("a number: {line}")),
        text,
        needs,
        paragraphs: answers.iter().copied().filter(|answer| answer.contains('#')).collect(),
        findings: with("auth.check: "),
        banned_crates: with("deny.toml: "),
    };
    let known = attack.paragraphs.len() + attack.findings.len() + attack.banned_crates.len();
    assert_eq!(
        known,
        answers.len(),
        "neither a paragraph, a finding nor a banned crate: {line}"
    );
    attack
}
