//! The answers of a server, with every field of its errors and notices.

use std::collections::BTreeSet;

use crate::attacks::wire::Message;

/// A message: its kind and its fields, each of which begins with its letter.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Answer {
    pub kind: Kind,
    pub fields: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Kind {
    Error,
    Notice,
    /// Other messages, such as rows and command tags, unchanged.
    Other(char),
}

impl Answer {
    pub fn field(&self, letter: char) -> Option<&str> {
        self.fields.iter().find_map(|field| field.strip_prefix(letter))
    }

    /// The same answer without one of its fields.
    pub fn without(mut self, letter: char) -> Answer {
        self.fields.retain(|field| !field.starts_with(letter));
        self
    }
}

/// The readable form of a message. None for messages that differ between sessions or databases: the cancel key, and
/// descriptions, which contain OIDs.
pub fn readable((letter, body): &Message) -> Option<Answer> {
    let texts = body
        .split(|byte| *byte == 0)
        .map(|text| without_changing_numbers(&String::from_utf8_lossy(text)));
    let (kind, fields) = match letter {
        b'K' | b'T' | b't' => return None,
        b'E' => (Kind::Error, texts.filter(|text| !text.is_empty()).collect()),
        b'N' => (Kind::Notice, texts.filter(|text| !text.is_empty()).collect()),
        _ => (
            Kind::Other(char::from(*letter)),
            vec![String::from_utf8_lossy(body).into_owned()],
        ),
    };
    Some(Answer { kind, fields })
}

/// What comes before numbers that differ between sessions or databases: those of temporary schemas, and since PostgreSQL 19
/// those of the lock that a session waits for.
const BEFORE_CHANGING_NUMBERS: [&str; 4] = ["pg_temp_", "Lock on relation ", " of database ", "Lock on transaction "];

fn without_changing_numbers(text: &str) -> String {
    BEFORE_CHANGING_NUMBERS.iter().fold(text.to_owned(), |text, before| {
        let mut parts = text.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |start, part| {
            start + before + part.trim_start_matches(|c: char| c.is_ascii_digit())
        })
    })
}

/// Statistics of the answers, by which a test shows that it has seen enough.
#[derive(Debug, Default)]
pub struct Figures {
    pub cases: usize,
    pub errors: usize,
    pub notices: usize,
    pub sqlstates: BTreeSet<String>,
    pub letters: BTreeSet<char>,
}

impl Figures {
    pub fn count(&mut self, answers: &[Answer]) {
        self.cases += 1;
        for answer in answers {
            match answer.kind {
                Kind::Error => self.errors += 1,
                Kind::Notice => self.notices += 1,
                Kind::Other(_) => continue,
            }
            self.letters
                .extend(answer.fields.iter().filter_map(|field| field.chars().next()));
            self.sqlstates.extend(answer.field('C').map(str::to_owned));
        }
    }
}
