//! What a statement begins with, for the few that the gateway rejects.
//!
//! A transaction of the gateway ends by the gateway's COMMIT. A COMMIT of the user's would end role and identity early, and
//! the answer would not tell which statements it has committed. COPY exchanges data that HTTP has no place for, and LISTEN
//! needs a connection that stays.

use crate::failure::{Failure, sqlstate};

/// A failure for a statement that is not sent to PostgreSQL.
pub fn rejection(sql: &str) -> Option<Failure> {
    let mut words = Words(sql.as_bytes());
    let first = words.next()?;
    let is = |word: &[u8], keyword: &str| word.eq_ignore_ascii_case(keyword.as_bytes());
    if is(first, "copy") {
        return Some(copy());
    }
    if is(first, "listen") {
        let failure = Failure::new(sqlstate::FEATURE_NOT_SUPPORTED, "LISTEN is not supported over HTTP");
        return Some(failure.hint("Use Client or Pool, which connect by WebSocket."));
    }
    let controls = if is(first, "rollback") {
        let mut next = words.next();
        if next.is_some_and(|word| is(word, "work") || is(word, "transaction")) {
            next = words.next();
        }
        // ROLLBACK TO SAVEPOINT stays in the transaction.
        !next.is_some_and(|word| is(word, "to"))
    } else if is(first, "prepare") {
        // PREPARE TRANSACTION 'id'. A prepared statement could have this name, too, but then `(` or AS follows.
        words.next().is_some_and(|word| is(word, "transaction")) && words.rest_begins_with_quote()
    } else {
        ["begin", "start", "commit", "end", "abort"]
            .iter()
            .any(|keyword| is(first, keyword))
    };
    controls.then(transaction_control)
}

/// Whether only a statement that controls transactions has this command tag (PostgreSQL, src/include/tcop/cmdtaglist.h).
pub fn controls_transaction(tag: &str) -> bool {
    matches!(
        tag,
        "BEGIN" | "START TRANSACTION" | "COMMIT" | "PREPARE TRANSACTION" | "COMMIT PREPARED" | "ROLLBACK PREPARED"
    )
}

pub fn transaction_control() -> Failure {
    Failure::new(
        sqlstate::INVALID_TRANSACTION_TERMINATION,
        "transaction control is not supported over HTTP",
    )
    .hint("Use transaction(), or Client or Pool, which connect by WebSocket.")
}

pub fn copy() -> Failure {
    Failure::new(sqlstate::FEATURE_NOT_SUPPORTED, "COPY is not supported over HTTP")
        .hint("Use INSERT and SELECT, or connect to PostgreSQL directly.")
}

/// The words at the beginning of a statement, up to the first character that is not part of one.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    /// Skips what PostgreSQL's scanner skips (src/backend/parser/scan.l: `space`, `comment`, `xcstart`), and empty statements.
    fn skip(&mut self) {
        loop {
            self.0 = match self.0 {
                [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | b';', rest @ ..] => rest,
                [b'-', b'-', rest @ ..] => {
                    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                    end.and_then(|end| rest.get(end..)).unwrap_or_default()
                }
                [b'/', b'*', rest @ ..] => after_comment(rest),
                _ => return,
            }
        }
    }

    fn rest_begins_with_quote(&mut self) -> bool {
        self.skip();
        // 'id', E'id', U&'id', $$id$$
        let quote = self.0.iter().take(3).position(|byte| matches!(byte, b'\'' | b'$'));
        quote.is_some()
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.skip();
        let end = self
            .0
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)));
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}

/// Block comments nest.
fn after_comment(mut rest: &[u8]) -> &[u8] {
    let mut depth = 1_usize;
    loop {
        rest = match rest {
            [b'/', b'*', rest @ ..] => {
                depth += 1;
                rest
            }
            [b'*', b'/', rest @ ..] => {
                depth -= 1;
                if depth == 0 {
                    return rest;
                }
                rest
            }
            [_, rest @ ..] => rest,
            [] => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("commit")]
    #[case("COMMIT AND CHAIN")]
    #[case("  \t\r\n\u{b}\u{c}Commit;")]
    #[case(";;; ; end")]
    #[case("-- a comment\nabort")]
    #[case("-- a comment\rabort")]
    #[case("/* a /* nested */ comment */begin")]
    #[case("/**/start transaction")]
    #[case("rollback work")]
    #[case("rollback/**/and chain")]
    #[case("rollback prepared 'a'")]
    #[case("prepare transaction 'a'")]
    #[case("prepare transaction/**/$$a$$")]
    #[case("prepare transaction E'a'")]
    #[case("prepare transaction U&'a'")]
    #[case("begin work")]
    #[case("begin;select 1")]
    fn transaction_control_is_rejected(#[case] sql: &str) {
        assert_eq!(rejection(sql), Some(transaction_control()));
    }

    #[rstest]
    #[case("")]
    #[case("select 'commit'")]
    #[case("commitment")]
    #[case("\"commit\"")]
    #[case("/* commit */")]
    #[case("/* commit")]
    #[case("-- commit")]
    #[case("/* a /* b */ commit")]
    #[case("savepoint a")]
    #[case("rollback to a")]
    #[case("rollback to savepoint a")]
    #[case("ROLLBACK WORK TO a")]
    #[case("rollback transaction to savepoint a")]
    #[case("release a")]
    #[case("prepare a as select 1")]
    #[case("prepare transaction (int) as select $1")]
    #[case("prepare transaction as select '1'")]
    #[case("\u{feff}commit")]
    #[case("\u{a0}commit")]
    #[case("commit\u{e9}")]
    fn other_statements_pass(#[case] sql: &str) {
        assert_eq!(rejection(sql), None);
    }

    #[rstest]
    #[case("copy t from stdin", "0A000")]
    #[case("/**/COPY (select 1) to stdout", "0A000")]
    #[case("listen a", "0A000")]
    fn statements_without_a_place_in_http_are_rejected(#[case] sql: &str, #[case] code: &str) {
        assert_eq!(rejection(sql).unwrap().code(), code);
    }

    proptest! {
        #[test]
        fn white_space_and_comments_before_a_statement_change_nothing(
            before in prop::collection::vec(
                prop::sample::select(vec![" ", "\t", "\u{b}", ";", "-- commit\n", "--\r", "/* commit */", "/*/**/*/", "/***/"]),
                0..6,
            ),
            sql in prop::sample::select(vec!["commit", "rollback to a", "select 1", "begin", "/", "\u{a0}end"]),
        ) {
            prop_assert_eq!(rejection(&format!("{}{sql}", before.concat())), rejection(sql));
        }
    }
}
