//! The texts that a function can execute: literals, those that `||` joins, and patterns of `format` with their arguments.

use super::tokens::Token;

/// Stands for a part of a statement that is not a literal. A name after it has no schema, and so can be in any.
const UNKNOWN: &[u8] = b"?";

/// Each literal, and each sequence of parts that has a literal, as one text.
pub fn statements(tokens: &[Token]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let Token::Literal(first) = token else {
            at += 1;
            continue;
        };
        let is_format = at >= 2 && tokens[at - 1] == Token::Symbol(b'(') && tokens[at - 2].is_word("format");
        let (text, after) = match is_format {
            true => formatted(first, tokens, at + 1),
            false => joined(first, tokens, at + 1),
        };
        all.push(text);
        at = after;
    }
    all
}

/// A literal with the literals that `||` appends to it.
fn joined(first: &[u8], tokens: &[Token], mut at: usize) -> (Vec<u8>, usize) {
    let mut text = first.to_vec();
    while let Some([Token::Symbol(b'|'), Token::Symbol(b'|'), Token::Literal(next)]) = tokens.get(at..at + 3) {
        text.extend(next);
        at += 3;
    }
    (text, at)
}

/// A pattern with the literals after it in place of `%s`, `%I` and `%L`.
fn formatted(pattern: &[u8], tokens: &[Token], mut at: usize) -> (Vec<u8>, usize) {
    let mut text = Vec::new();
    let mut rest = pattern;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'%', [b'%', after @ ..]) => {
                text.push(b'%');
                rest = after;
            }
            (b'%', [b's' | b'I' | b'L', after @ ..]) => {
                rest = after;
                match tokens.get(at..at + 3) {
                    Some([Token::Symbol(b','), Token::Literal(next), Token::Symbol(b',' | b')')]) => {
                        text.extend(next);
                        at += 2;
                    }
                    _ => {
                        text.extend(UNKNOWN);
                        at = next_argument(tokens, at);
                    }
                }
            }
            _ => text.push(*byte),
        }
    }
    (text, at)
}

/// The comma after the argument that begins here, or the closing bracket. Literals in the argument count on their own, so
/// one that has any is not passed over.
fn next_argument(tokens: &[Token], at: usize) -> usize {
    let is_end = |token: &Token| matches!(token, Token::Literal(_) | Token::Symbol(b',' | b')' | b';'));
    let rest = tokens.get(at + 1..).unwrap_or_default();
    rest.iter()
        .position(is_end)
        .map_or(tokens.len(), |length| at + 1 + length)
}
