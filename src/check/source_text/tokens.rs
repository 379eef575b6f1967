//! The words, literals and symbols of a source text.

/// The parts of the lexical syntax that differ between languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// SQL and PL/pgSQL.
    Sql,
    /// A language whose comments begin with `#`. Its literals may be SQL, so quotes are symbols.
    HashComments,
    /// Likewise, with comments as in C.
    SlashComments,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A word without quotes, in lower case.
    Word(Vec<u8>),
    /// An identifier in quotes.
    Quoted(Vec<u8>),
    Literal(Vec<u8>),
    Number,
    Symbol(u8),
}

impl Token {
    pub fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own == word.as_bytes())
    }
}

/// The tokens of a text.
pub fn of(syntax: Syntax, text: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let [first, ..] = rest {
        let comment = comment(syntax, rest);
        if comment > 0 {
            rest = &rest[comment..];
            continue;
        }
        let (token, length) = match first {
            b'"' if syntax == Syntax::Sql => quoted(rest, Token::Quoted),
            b'\'' if syntax == Syntax::Sql => {
                let has_escapes =
                    tokens.last().is_some_and(|before: &Token| before.is_word("e")) && is_adjacent(text, rest);
                if has_escapes {
                    escaped(rest)
                } else {
                    quoted(rest, Token::Literal)
                }
            }
            b'$' if syntax == Syntax::Sql => dollar_quoted(rest),
            b'0'..=b'9' => (
                Token::Number,
                length_of(rest, |byte| byte.is_ascii_alphanumeric() || byte == b'.'),
            ),
            _ if is_letter(*first) => {
                let length = length_of(rest, |byte| is_letter(byte) || byte.is_ascii_digit() || byte == b'$');
                (Token::Word(rest[..length].to_ascii_lowercase()), length)
            }
            _ => (Token::Symbol(*first), 1),
        };
        if !first.is_ascii_whitespace() {
            tokens.push(token);
        }
        rest = &rest[length..];
    }
    tokens
}

/// Bytes above 127 are letters for PostgreSQL, too.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn length_of(text: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| !belongs(*byte)).unwrap_or(text.len())
}

/// Whether a letter is right before the rest of the text.
fn is_adjacent(text: &[u8], rest: &[u8]) -> bool {
    let before = text[..text.len() - rest.len()].last();
    before.is_some_and(|byte| is_letter(*byte))
}

/// The length of a comment at the beginning of a text; 0 where there is none.
fn comment(syntax: Syntax, text: &[u8]) -> usize {
    let to_end_of_line = || length_of(text, |byte| byte != b'\n');
    match (syntax, text) {
        (Syntax::Sql, [b'-', b'-', ..])
        | (Syntax::HashComments, [b'#', ..])
        | (Syntax::SlashComments, [b'/', b'/', ..]) => to_end_of_line(),
        (Syntax::Sql | Syntax::SlashComments, [b'/', b'*', ..]) => {
            let (mut depth, mut at) = (0_usize, 0);
            while let Some(pair) = text.get(at..at + 2) {
                match pair {
                    b"/*" if depth == 0 || syntax == Syntax::Sql => depth += 1,
                    b"*/" => depth -= 1,
                    _ => {
                        at += 1;
                        continue;
                    }
                }
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            text.len()
        }
        _ => 0,
    }
}

/// A text between quotes, which are doubled inside.
fn quoted(text: &[u8], make: fn(Vec<u8>) -> Token) -> (Token, usize) {
    let quote = text[0];
    let mut content = Vec::new();
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        if *byte == quote {
            if text.get(at + 1) != Some(&quote) {
                return (make(content), at + 1);
            }
            at += 1;
        }
        content.push(*byte);
        at += 1;
    }
    (make(content), text.len())
}

/// A literal with escapes, whose backslashes are dropped.
fn escaped(text: &[u8]) -> (Token, usize) {
    let mut content = Vec::new();
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match (byte, text.get(at + 1)) {
            (b'\\', Some(next)) | (b'\'', Some(next @ b'\'')) => {
                content.push(*next);
                at += 1;
            }
            (b'\'', _) => return (Token::Literal(content), at + 1),
            _ => content.push(*byte),
        }
        at += 1;
    }
    (Token::Literal(content), text.len())
}

/// A literal between `$tag$`, or the symbol `$` of a parameter.
fn dollar_quoted(text: &[u8]) -> (Token, usize) {
    let tag = length_of(&text[1..], |byte| is_letter(byte) || byte.is_ascii_digit());
    let is_tag = text.get(1 + tag) == Some(&b'$') && !text[1].is_ascii_digit();
    if !is_tag {
        return (Token::Symbol(b'$'), 1);
    }
    let (mark, content) = text.split_at(tag + 2);
    match content.windows(mark.len()).position(|window| window == mark) {
        Some(length) => (Token::Literal(content[..length].to_vec()), length + 2 * mark.len()),
        None => (Token::Literal(content.to_vec()), text.len()),
    }
}
