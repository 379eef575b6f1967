//! The statements in the .sql files of this directory.
//!
//! Each line is a case, in a separate session. A line that begins with a blank continues the case before it, and `--`
//! begins a comment. `;;` ends a message, so that a case can continue after an error. A message that begins with `$` is
//! sent in the extended protocol. The text after ` << ` is the parameter of such a message, or a line of a COPY.

use std::io;

use testkit::connection::{BytesMut, IsNull, frontend};

use crate::attacks::wire::{Message, Wire};

use super::answers::{Answer, readable};

pub const PARSE_AND_ANALYSE: &str = include_str!("parse_and_analyse.sql");
pub const PLAN_AND_EXECUTE: &str = include_str!("plan_and_execute.sql");
pub const PLPGSQL: &str = include_str!("plpgsql.sql");
pub const CONSTRAINTS: &str = include_str!("constraints.sql");
pub const WAITS: &str = include_str!("waits.sql");
pub const POLICIES: &str = include_str!("policies.sql");

pub fn cases(file: &str) -> Vec<String> {
    let mut cases: Vec<String> = Vec::new();
    for line in file.lines() {
        match (line.strip_prefix("    "), cases.last_mut()) {
            (Some(more), Some(case)) => *case = format!("{case}\n{more}"),
            _ if line.starts_with("--") => {}
            _ => cases.push(line.to_owned()),
        }
    }
    cases
}

/// The server's answers to each message of a case.
pub fn answers(wire: &mut Wire, case: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for message in case.split(";;").map(str::trim) {
        let (sql, data) = message.split_once(" << ").unwrap_or((message, ""));
        let messages = match sql.strip_prefix("$ ") {
            Some(sql) => extended(wire, sql, data),
            None => simple(wire, sql, data),
        };
        // A session that has ended gives no answer.
        let is_over = messages
            .iter()
            .any(|(letter, body)| *letter == b'E' && body.starts_with(b"SFATAL\0"));
        answers.extend(messages.iter().filter_map(readable));
        if is_over {
            break;
        }
    }
    answers
}

/// A server that is not in a COPY ignores its data.
fn simple(wire: &mut Wire, sql: &str, data: &str) -> Vec<Message> {
    wire.exchange(|buffer| {
        frontend::query(sql, buffer)?;
        if sql.starts_with("copy") && sql.contains("from stdin") {
            frontend::CopyData::new(format!("{data}\n").as_bytes())?.write(buffer);
            frontend::copy_done(buffer);
        }
        Ok(())
    })
}

fn extended(wire: &mut Wire, sql: &str, parameter: &str) -> Vec<Message> {
    let parameters = sql.contains('$').then_some(parameter);
    wire.exchange(|buffer| {
        frontend::parse("", sql, [], buffer)?;
        let serialize = |text: &str, buffer: &mut BytesMut| {
            buffer.extend_from_slice(text.as_bytes());
            Ok(IsNull::No)
        };
        frontend::bind("", "", [], parameters, serialize, [], buffer).map_err(|_| io::Error::other("bind"))?;
        frontend::describe(b'P', "", buffer)?;
        frontend::execute("", 0, buffer)?;
        frontend::sync(buffer);
        Ok(())
    })
}
