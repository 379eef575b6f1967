//! What the source text of a function calls and reads. It is plain Rust, so that a test can read any text with it.
//!
//! The text is split into words, literals and symbols in one pass, without recursion. A name in a comment is no call, and
//! one in a literal is a call only where the function executes literals.

mod executed;
mod tokens;

use tokens::{Syntax, Token};

use super::claim_names;

/// The longest source text that is read, in bytes.
pub const MAX_BYTES: usize = 256 << 10;

/// What a function reads that reads a setting of the session.
pub const SETTING: &str = "current_setting()";

/// A name that may have a schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    pub schema: Option<Vec<u8>>,
    pub name: Vec<u8>,
}

/// A call, or something else that is written like one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    pub function: Name,
    pub has_arguments: bool,
    /// Whether all arguments are literals.
    pub is_constant: bool,
}

/// What a source text calls and reads.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub calls: Vec<Call>,
    pub relations: Vec<Name>,
    /// A value of the session that it reads without a function of the application.
    pub reads: Option<&'static str>,
    /// Whether it names a claim that its user can write.
    pub names_user_claim: bool,
}

/// The words that return a role, in SQL.
const ROLES: [&str; 5] = ["current_user", "session_user", "current_role", "system_user", "user"];
/// The words after which a relation is named.
const BEFORE_RELATION: [&str; 5] = ["from", "join", "into", "update", "table"];
/// The words that end a list of relations.
const AFTER_RELATIONS: [&str; 14] = [
    "where",
    "group",
    "order",
    "limit",
    "having",
    "window",
    "union",
    "except",
    "intersect",
    "returning",
    "set",
    "on",
    "loop",
    "select",
];

/// Reads the source text of a function in this language.
pub fn read(language: &str, text: &[u8]) -> Source {
    let mut source = Source::default();
    let syntax = match language {
        "sql" | "plpgsql" => Syntax::Sql,
        "plperl" | "plperlu" | "plpython3u" | "pltcl" | "pltclu" => Syntax::HashComments,
        _ => Syntax::SlashComments,
    };
    let tokens = tokens::of(syntax, text);
    source.add(&tokens, syntax);
    if language == "plpgsql" && tokens.iter().any(|token| token.is_word("execute")) {
        for executed in executed::statements(&tokens) {
            source.add(&tokens::of(syntax, &executed), syntax);
        }
    }
    source
}

/// Whether a function of PostgreSQL with this many arguments depends on the role, because none of these is a role.
pub fn depends_on_role(function: &[u8], arguments: usize) -> bool {
    let is_privilege = function.starts_with(b"has_") && function.ends_with(b"_privilege");
    match function {
        b"getpgusername" => arguments == 0,
        b"row_security_active" => arguments == 1,
        b"pg_has_role" => arguments == 2,
        b"has_column_privilege" => arguments == 3,
        _ => is_privilege && arguments == 2,
    }
}

/// Whether a setting tells users apart: it has a dot in its name, which any SQL can set, or it is a role.
pub fn is_of_session(setting: &[u8]) -> bool {
    setting.contains(&b'.') || [&b"role"[..], b"session_authorization"].contains(&setting)
}

impl Source {
    fn add(&mut self, tokens: &[Token], syntax: Syntax) {
        self.names_user_claim |= (0..tokens.len()).any(|at| names_user_claim(tokens, at));
        let mut is_relation_next = false;
        // The number of open brackets, and how many there were where the list of relations began.
        let (mut depth, mut list) = (0_usize, None);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if let Token::Symbol(symbol) = token {
                match symbol {
                    b'(' => depth += 1,
                    b')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                list = list.filter(|at| *at <= depth && *symbol != b';');
                is_relation_next = *symbol == b',' && list == Some(depth) || *symbol == b'(' && is_relation_next;
            }
            let (Some((name, after)), is_first) = (name_at(tokens, at), at == 0) else {
                at += 1;
                continue;
            };
            let before = if is_first { None } else { tokens.get(at - 1) };
            let is_call = tokens.get(after) == Some(&Token::Symbol(b'('));
            let is = |words: &[&str]| after == at + 1 && words.iter().any(|word| token.is_word(word));
            if is(&BEFORE_RELATION) {
                is_relation_next = !before.is_some_and(|before| before.is_word("distinct"));
                if is_relation_next && token.is_word("from") {
                    list = Some(depth);
                }
            } else if is(&["only", "lateral"]) {
                // The relation follows.
            } else if is(&AFTER_RELATIONS) {
                (is_relation_next, list) = (false, None);
            } else {
                let roles = if syntax == Syntax::Sql { &ROLES[..] } else { &ROLES[..2] };
                if let Some(role) = roles.iter().find(|role| is(&[role])) {
                    self.reads = Some(role);
                } else if is_call {
                    self.call(name, &tokens[after + 1..]);
                } else if is_relation_next {
                    self.relations.push(name);
                }
                is_relation_next = false;
            }
            at = after;
        }
    }

    fn call(&mut self, function: Name, after: &[Token]) {
        let is_builtin = function.schema.as_deref().is_none_or(|schema| schema == b"pg_catalog");
        if is_builtin && function.name == b"current_setting" {
            let is_harmless = match after {
                [Token::Literal(setting), Token::Symbol(b')' | b','), ..] => !is_of_session(setting),
                _ => false,
            };
            if !is_harmless {
                self.reads = Some(SETTING);
            }
        }
        if is_builtin && depends_on_role(&function.name, count(after)) {
            self.reads = Some("the role");
        }
        self.calls.push(Call {
            function,
            has_arguments: after.first() != Some(&Token::Symbol(b')')),
            is_constant: is_constant(after),
        });
    }
}

/// Whether a token names a claim that its user can write. One that is compared with or deleted is not read.
fn names_user_claim(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    match tokens.get(at) {
        Some(Token::Literal(_)) if matches!(before, Some(Token::Symbol(b'-' | b'='))) => false,
        Some(Token::Literal(text)) => claim_names::words(text).any(claim_names::is_name),
        Some(Token::Word(name) | Token::Quoted(name)) => claim_names::is_name(name),
        _ => false,
    }
}

/// The number of arguments up to the closing bracket; 0 for no call of a function of PostgreSQL, which have fewer.
fn count(arguments: &[Token]) -> usize {
    const MAX_TOKENS: usize = 100;
    let (mut depth, mut count) = (0_usize, 0);
    for token in arguments.iter().take(MAX_TOKENS) {
        match token {
            Token::Symbol(b')') if depth == 0 => return count,
            Token::Symbol(b'(' | b'[') => depth += 1,
            Token::Symbol(b')' | b']') => depth = depth.saturating_sub(1),
            Token::Symbol(b',') if depth == 0 => count += 1,
            _ => count = count.max(1),
        }
    }
    0
}

/// Whether everything up to the closing bracket is a literal, perhaps with its type.
fn is_constant(arguments: &[Token]) -> bool {
    let mut is_type = false;
    for token in arguments {
        match token {
            Token::Symbol(b')') => return true,
            Token::Symbol(b':') => is_type = true,
            Token::Symbol(b',' | b'-' | b'+') | Token::Literal(_) | Token::Number => {}
            Token::Word(_) if is_type => is_type = false,
            _ if ["true", "false", "null"].iter().any(|word| token.is_word(word)) => {}
            _ => return false,
        }
    }
    false
}

/// The name that begins at a token, and the index after it. Of more than two parts the last two count.
fn name_at(tokens: &[Token], at: usize) -> Option<(Name, usize)> {
    let part = |at: usize| match tokens.get(at) {
        Some(Token::Word(name) | Token::Quoted(name)) => Some(name.clone()),
        _ => None,
    };
    let mut name = Name {
        schema: None,
        name: part(at)?,
    };
    let mut after = at + 1;
    while let (Some(Token::Symbol(b'.')), Some(next)) = (tokens.get(after), part(after + 1)) {
        name.schema = Some(std::mem::replace(&mut name.name, next));
        after += 2;
    }
    Some((name, after))
}
