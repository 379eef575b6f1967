//! Patterns of LIKE, SIMILAR TO and regular expressions. Plain Rust, which reads those that need no search in depth.

use Part::{Any, Byte, End, Many, Start};

/// The alternatives that a regular expression may have, and how deep its groups may be nested.
const MAX_ALTERNATIVES: usize = 16;
const MAX_GROUPS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Byte(u8),
    /// One character.
    Any,
    /// Any number of characters.
    Many,
    Start,
    End,
}

/// A pattern: a text matches if it matches one of the alternatives from its beginning to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Vec<Part>>);

/// An operator that compares a text with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    is_regular: bool,
    ignores_case: bool,
    pub is_negated: bool,
}

impl Operator {
    pub fn named(name: &[u8]) -> Option<Operator> {
        let (is_negated, name) = name.strip_prefix(b"!").map_or((false, name), |name| (true, name));
        let (is_regular, ignores_case) = match name {
            b"~~" => (false, false),
            b"~~*" => (false, true),
            b"~" => (true, false),
            b"~*" => (true, true),
            _ => return None,
        };
        Some(Operator {
            is_regular,
            ignores_case,
            is_negated,
        })
    }

    /// The pattern of a text; None for one that is not read.
    pub fn pattern(self, text: &[u8]) -> Option<Pattern> {
        let text = if self.ignores_case {
            text.to_ascii_lowercase()
        } else {
            text.to_vec()
        };
        match self.is_regular {
            true => Pattern::regular(&text),
            false => Pattern::like(&text),
        }
    }

    /// The result for a text; None where it is not known.
    pub fn compares(self, text: &[u8], pattern: &[u8]) -> Option<bool> {
        let pattern = self.pattern(pattern)?;
        if pattern.is_anything() {
            return Some(!self.is_negated);
        }
        // The case and the length of other characters depend on the database.
        let text = text.is_ascii().then(|| match self.ignores_case {
            true => text.to_ascii_lowercase(),
            false => text.to_vec(),
        })?;
        Some(pattern.0.iter().any(|parts| matches(&text, parts)) != self.is_negated)
    }
}

impl Pattern {
    fn like(text: &[u8]) -> Option<Pattern> {
        let mut parts = Vec::new();
        let mut bytes = text.iter();
        while let Some(byte) = bytes.next() {
            parts.push(match byte {
                b'%' => Many,
                b'_' => Any,
                b'\\' => Byte(*bytes.next()?),
                byte => Byte(*byte),
            });
        }
        text.is_ascii().then_some(Pattern(vec![parts]))
    }

    fn regular(text: &[u8]) -> Option<Pattern> {
        let mut rest = text;
        let alternatives = alternatives(&mut rest, 0)?;
        if !rest.is_empty() || !text.is_ascii() {
            return None;
        }
        alternatives
            .into_iter()
            .map(anchored)
            .collect::<Option<_>>()
            .map(Pattern)
    }

    /// Whether every text matches.
    pub fn is_anything(&self) -> bool {
        let is_anything = |parts: &Vec<Part>| !parts.is_empty() && parts.iter().all(|part| *part == Many);
        self.0.iter().any(is_anything)
    }

    /// Whether it has no wildcards.
    pub fn is_constant(&self) -> bool {
        let is_constant = |parts: &Vec<Part>| parts.iter().all(|part| matches!(part, Byte(_)));
        self.0.iter().all(is_constant)
    }
}

/// The regular expression of a pattern of SIMILAR TO, as PostgreSQL makes it; None for one that is not read.
pub fn of_similar(pattern: &[u8]) -> Option<Vec<u8>> {
    let mut regular = b"^(?:".to_vec();
    for byte in pattern {
        match byte {
            b'%' => regular.extend(b".*"),
            b'_' => regular.push(b'.'),
            b'.' | b'^' | b'$' => regular.extend([b'\\', *byte]),
            b'\\' | b'*' | b'+' | b'?' | b'{' | b'}' | b'[' | b']' | b'"' => return None,
            byte => regular.push(*byte),
        }
    }
    regular.extend(b")$");
    Some(regular)
}

/// The alternatives up to a closing bracket or the end.
fn alternatives(rest: &mut &[u8], depth: usize) -> Option<Vec<Vec<Part>>> {
    let mut done = Vec::new();
    let mut current = vec![Vec::new()];
    while let [first, after @ ..] = *rest {
        if *first == b')' {
            break;
        }
        *rest = after;
        let part = match first {
            b'|' => {
                done.append(&mut current);
                current.push(Vec::new());
                continue;
            }
            b'(' if depth < MAX_GROUPS => {
                *rest = rest.strip_prefix(b"?:").unwrap_or(rest);
                let group = alternatives(rest, depth + 1)?;
                *rest = rest.strip_prefix(b")")?;
                current = product(&current, &group)?;
                not_repeated(rest)?;
                continue;
            }
            b'^' => Start,
            b'$' => End,
            b'.' => Any,
            b'\\' => {
                let escaped = *rest.first().filter(|byte| byte.is_ascii_punctuation())?;
                *rest = &rest[1..];
                Byte(escaped)
            }
            b'[' => match *rest {
                [byte, b']', after @ ..] if *byte != b'^' => {
                    *rest = after;
                    Byte(*byte)
                }
                _ => return None,
            },
            b'*' | b'+' | b'?' | b'{' | b'}' | b']' | b'(' => return None,
            byte => Byte(*byte),
        };
        let parts: &[Part] = match (part, *rest) {
            (Any, [b'*', after @ ..]) => {
                *rest = after;
                &[Many]
            }
            (Any, [b'+', after @ ..]) => {
                *rest = after;
                &[Any, Many]
            }
            _ => &[part],
        };
        not_repeated(rest)?;
        current.iter_mut().for_each(|one| one.extend(parts));
    }
    done.append(&mut current);
    (done.len() <= MAX_ALTERNATIVES).then_some(done)
}

/// None before a sign of repetition.
fn not_repeated(rest: &[u8]) -> Option<()> {
    (!matches!(rest.first(), Some(b'*' | b'+' | b'?' | b'{'))).then_some(())
}

fn product(left: &[Vec<Part>], right: &[Vec<Part>]) -> Option<Vec<Vec<Part>>> {
    let pairs = left
        .iter()
        .flat_map(|a| right.iter().map(|b| [a.as_slice(), b].concat()));
    (left.len() * right.len() <= MAX_ALTERNATIVES).then(|| pairs.collect())
}

/// An alternative of a regular expression, which can begin and end anywhere in a text unless it says otherwise.
fn anchored(mut parts: Vec<Part>) -> Option<Vec<Part>> {
    match parts.first() {
        Some(Start) => drop(parts.remove(0)),
        _ => parts.insert(0, Many),
    }
    match parts.last() {
        Some(End) => drop(parts.pop()),
        _ => parts.push(Many),
    }
    (!parts.iter().any(|part| matches!(part, Start | End))).then_some(parts)
}

/// Whether a text matches from its beginning to its end. The last `Many` takes more of the text until the rest matches.
fn matches(text: &[u8], parts: &[Part]) -> bool {
    let (mut at, mut next) = (0, 0);
    let mut many: Option<(usize, usize)> = None;
    while at < text.len() {
        match parts.get(next) {
            Some(Many) => {
                many = Some((at, next + 1));
                next += 1;
            }
            Some(Any) => (at, next) = (at + 1, next + 1),
            Some(Byte(byte)) if *byte == text[at] => (at, next) = (at + 1, next + 1),
            _ => match many {
                Some((from, after)) => {
                    many = Some((from + 1, after));
                    (at, next) = (from + 1, after);
                }
                None => return false,
            },
        }
    }
    parts[next..].iter().all(|part| *part == Many)
}
