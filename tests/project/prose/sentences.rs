//! How long a sentence and a heading may be.

use std::collections::BTreeSet;

use super::Fault;
use super::files::File;

const WORDS: usize = 30;
const HEADING_CHARACTERS: usize = 60;

/// The sentences that have more than [`WORDS`] words. A cell of a table and an item of a list end a sentence.
pub fn too_long_in(file: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut sentence = Sentence::default();
    for (line, prose) in file.prose() {
        let prose = prose.map(str::trim).unwrap_or_default();
        if ends_paragraph(prose) {
            faults.extend(sentence.end());
        }
        if prose.starts_with('#') {
            continue;
        }
        for word in without_code(prose).split_whitespace() {
            if word == "|" {
                faults.extend(sentence.end());
            }
            sentence.add(line, word);
            if word.trim_end_matches([')', '"', '*', '_']).ends_with(['.', '?', '!']) && !is_abbreviation(word) {
                faults.extend(sentence.end());
            }
        }
    }
    faults.extend(sentence.end());
    faults
}

#[derive(Default)]
struct Sentence {
    line: usize,
    words: usize,
    begins: String,
}

impl Sentence {
    fn add(&mut self, line: usize, word: &str) {
        if !word.contains(char::is_alphanumeric) {
            return;
        }
        if self.words == 0 {
            self.line = line;
        }
        self.words += 1;
        if self.words <= 6 {
            self.begins.push_str(word);
            self.begins.push(' ');
        }
    }

    fn end(&mut self) -> Option<Fault> {
        let Sentence { line, words, begins } = std::mem::take(self);
        let advice = format!("a sentence of {words} words: \"{}…\"", begins.trim_end());
        (words > WORDS).then_some(Fault { line, advice })
    }
}

/// Whether a line does not continue the sentence of the line before: it is empty, a heading, a row or an item.
fn ends_paragraph(prose: &str) -> bool {
    let number = prose.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let is_numbered = number.len() < prose.len() && (number.starts_with(". ") || number.starts_with(") "));
    prose.is_empty()
        || is_numbered
        || prose.starts_with(['#', '|', '>'])
        || prose.starts_with("- ")
        || prose.starts_with("* ")
}

fn is_abbreviation(word: &str) -> bool {
    ["e.g.", "i.e.", "etc.", "vs.", "no."].contains(&word.trim_start_matches(['(', '"']))
}

/// A line in which each code span and each link's target is one word, and each border of a cell stands alone.
fn without_code(prose: &str) -> String {
    let mut text = String::new();
    for (index, part) in prose.split('`').enumerate() {
        match index % 2 {
            0 => text.push_str(&part.replace('|', " | ")),
            _ => text.push_str("code"),
        }
    }
    let mut linked = text.split("](");
    let mut plain = linked.next().unwrap_or_default().to_owned();
    for part in linked {
        plain.push_str(part.split_once(')').map_or(part, |(_, behind)| behind));
    }
    plain
}

/// Headings that are too long, end with a full stop, or stand twice in one page.
pub fn headings_in(page: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let mut is_in_block = false;
    for (line, text) in (1..).zip(page.lines()) {
        is_in_block ^= text.trim_start().starts_with("```");
        let heading = text.trim_start_matches('#');
        if is_in_block || heading.len() == text.len() || !heading.starts_with(' ') {
            continue;
        }
        let mut fault = |advice: String| faults.push(Fault { line, advice });
        if heading.trim().chars().count() > HEADING_CHARACTERS {
            fault(format!("a heading has at most {HEADING_CHARACTERS} characters"));
        }
        if heading.ends_with('.') {
            fault("a heading has no full stop".to_owned());
        }
        if !seen.insert(heading) {
            fault("this heading stands twice in the page".to_owned());
        }
    }
    faults
}
