//! The body of a response, written while rows arrive.
//!
//! There is one buffer for the whole body. A row of texts in an array costs no allocation and no parsing.

use std::collections::HashSet;
use std::io::Write as _;
use std::{io, vec};

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{DataRowBody, Field, RowDescriptionBody};

use crate::failure::{Failure, sqlstate};
use crate::json;
use crate::request::Options;
use crate::value::{Form, Scalar};

pub struct ReplyBuilder {
    json: Vec<u8>,
    raw_text: bool,
    array_mode: bool,
    batch: bool,
    max_bytes: usize,
    /// What the statements that have not begun yet want instead of `array_mode`.
    array_modes: vec::IntoIter<Option<bool>>,
    open: Option<Open>,
    begun: usize,
}

/// The statement whose rows are being written.
struct Open {
    array_mode: bool,
    columns: Vec<Column>,
    has_rows: bool,
}

struct Column {
    /// As a member of an object, with its colon. `None` if a later column has the same name.
    name: Option<Vec<u8>>,
    form: Form,
}

impl ReplyBuilder {
    /// A response of at most `max_bytes`. `array_modes` are those of the statements, in their order.
    pub fn new(options: &Options, batch: bool, max_bytes: usize, array_modes: Vec<Option<bool>>) -> ReplyBuilder {
        let mut json = Vec::new();
        if batch {
            json.extend_from_slice(b"{\"results\":[");
        }
        ReplyBuilder {
            json,
            raw_text: options.raw_text,
            array_mode: options.array_mode,
            batch,
            max_bytes,
            array_modes: array_modes.into_iter(),
            open: None,
            begun: 0,
        }
    }

    /// Begins the answer to the next statement, one with rows.
    pub fn row_description(&mut self, body: &RowDescriptionBody) -> Result<(), Failure> {
        let fields: Vec<Field<'_>> = body.fields().collect().map_err(|error| malformed(&error))?;
        if fields.iter().any(|field| field.format() != 0) {
            return Err(protocol_violation());
        }
        if self.open.is_some() {
            return Err(protocol_violation());
        }
        let array_mode = self.begin();
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            self.json.extend_from_slice(b"{\"name\":");
            json::string(&mut self.json, field.name());
            // Writing to a Vec cannot fail.
            let _ = write!(
                self.json,
                ",\"dataTypeID\":{},\"tableID\":{},\"columnID\":{},\"dataTypeSize\":{},\"dataTypeModifier\":{},\"format\":\"text\"}}",
                field.type_oid(),
                field.table_oid(),
                field.column_id(),
                field.type_size(),
                field.type_modifier()
            );
        }
        self.json.extend_from_slice(b"],\"rows\":[");
        self.open = Some(Open {
            array_mode,
            columns: columns(&fields, array_mode),
            has_rows: false,
        });
        self.has_room(0)
    }

    /// A row of the statement that [`ReplyBuilder::row_description`] has begun.
    pub fn row(&mut self, body: &DataRowBody) -> Result<(), Failure> {
        self.has_room(body.buffer().len())?;
        let Some(open) = &mut self.open else {
            return Err(protocol_violation());
        };
        let json = &mut self.json;
        if open.has_rows {
            json.push(b',');
        }
        open.has_rows = true;
        json.push(if open.array_mode { b'[' } else { b'{' });
        let mut ranges = body.ranges();
        let mut first = true;
        for column in &open.columns {
            let range = ranges
                .next()
                .map_err(|error| malformed(&error))?
                .ok_or_else(protocol_violation)?;
            if !open.array_mode && column.name.is_none() {
                continue;
            }
            if !first {
                json.push(b',');
            }
            first = false;
            if let (false, Some(name)) = (open.array_mode, &column.name) {
                json.extend_from_slice(name);
            }
            let Some(range) = range else {
                json.extend_from_slice(b"null");
                continue;
            };
            let value = body.buffer().get(range).ok_or_else(protocol_violation)?;
            let text = std::str::from_utf8(value).map_err(|_| not_utf8())?;
            // JSON can be six times as long as the text. Memory for that is not to be taken before it turns out too long.
            let is_string = self.raw_text || column.form == Form::One(Scalar::String);
            let longest = json.len().saturating_add(text.len().saturating_mul(6));
            if longest > self.max_bytes && is_string && json.len() + json::string_length(text) > self.max_bytes {
                return Err(too_large(self.max_bytes));
            }
            if self.raw_text {
                json::string(json, text);
            } else {
                column.form.write(json, text);
            }
        }
        if ranges.next().map_err(|error| malformed(&error))?.is_some() {
            return Err(protocol_violation());
        }
        json.push(if open.array_mode { b']' } else { b'}' });
        self.has_room(0)
    }

    /// Ends the answer to a statement with its command tag.
    pub fn complete(&mut self, tag: &str) -> Result<(), Failure> {
        let mut words = tag.split(' ');
        let command = words.next().unwrap_or_default();
        // `INSERT 0 5` and `SELECT 5` end with the number of rows; `CREATE TABLE` has none.
        let rows = words.next_back().and_then(|word| word.parse::<u64>().ok());
        self.end(command, rows)
    }

    /// Answers a statement without any SQL.
    pub fn empty_query(&mut self) -> Result<(), Failure> {
        self.end("", None)
    }

    /// The memory that the body takes, which can be twice its length.
    pub fn memory(&self) -> usize {
        self.json.capacity()
    }

    /// The body, once all statements are complete.
    pub fn finish(&mut self) -> Result<Vec<u8>, Failure> {
        if self.open.is_some() || (!self.batch && self.begun != 1) {
            return Err(protocol_violation());
        }
        if self.batch {
            self.json.extend_from_slice(b"]}");
        }
        self.has_room(0)?;
        // The client may take its time to read it.
        self.json.shrink_to_fit();
        Ok(std::mem::take(&mut self.json))
    }

    /// Writes the part before the columns, and returns the next statement's array mode.
    fn begin(&mut self) -> bool {
        if self.begun > 0 {
            self.json.push(b',');
        }
        self.begun += 1;
        self.json.extend_from_slice(b"{\"fields\":[");
        self.array_modes.next().flatten().unwrap_or(self.array_mode)
    }

    fn end(&mut self, command: &str, rows: Option<u64>) -> Result<(), Failure> {
        let array_mode = match self.open.take() {
            Some(open) => open.array_mode,
            None => {
                let array_mode = self.begin();
                self.json.extend_from_slice(b"],\"rows\":[");
                array_mode
            }
        };
        self.json.extend_from_slice(b"],\"command\":");
        json::string(&mut self.json, command);
        // Writing to a Vec cannot fail.
        let _ = match rows {
            Some(rows) => write!(self.json, ",\"rowCount\":{rows},\"rowAsArray\":{array_mode}}}"),
            None => write!(self.json, ",\"rowCount\":null,\"rowAsArray\":{array_mode}}}"),
        };
        self.has_room(0)
    }

    fn has_room(&self, more: usize) -> Result<(), Failure> {
        if self.json.len().saturating_add(more) <= self.max_bytes {
            return Ok(());
        }
        Err(too_large(self.max_bytes))
    }
}

fn too_large(limit: usize) -> Failure {
    let message = format!("response is too large (max is {limit} bytes)");
    Failure::with_status(507, sqlstate::PROGRAM_LIMIT_EXCEEDED, message)
}

/// Of columns with the same name an object has the last one, as in node's `pg`.
fn columns(fields: &[Field<'_>], array_mode: bool) -> Vec<Column> {
    let mut later = HashSet::new();
    let mut columns: Vec<Column> = fields
        .iter()
        .rev()
        .map(|field| {
            let name = (!array_mode && later.insert(field.name())).then(|| {
                let mut name = Vec::new();
                json::string(&mut name, field.name());
                name.push(b':');
                name
            });
            Column {
                name,
                form: Form::of_type(field.type_oid()),
            }
        })
        .collect();
    columns.reverse();
    columns
}

fn malformed(error: &io::Error) -> Failure {
    // postgres-protocol reports names that are not UTF-8 as invalid input.
    if error.kind() == io::ErrorKind::InvalidInput {
        not_utf8()
    } else {
        protocol_violation()
    }
}

fn not_utf8() -> Failure {
    Failure::new(sqlstate::UNTRANSLATABLE_CHARACTER, "result is not valid UTF-8").hint("Leave client_encoding at UTF8.")
}

fn protocol_violation() -> Failure {
    Failure::new(sqlstate::PROTOCOL_VIOLATION, "unexpected message from PostgreSQL")
}

#[cfg(test)]
mod tests;
