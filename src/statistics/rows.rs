//! The rows: one for each database and issuer whose tokens were counted, until none is left.
//!
//! An issuer is that of a provider in `pg_session_jwt.providers`, or none. What a token claims never makes a row.
//!
//! ```text
//! word 0  0, or 1 while a process writes the name, or 2
//!      1  the database, below whether there is an issuer
//!      2  the digest of the issuer, 4 words
//!      6  the length of the text
//!      7  the issuer in UTF-8, truncated to 256 bytes
//! ```

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use pgrx::pg_sys::Oid;
use verified_table::digest;

use crate::pg::backend;
use crate::statistics::memory::{Memory, NAME, ROWS};

const FREE: u64 = 0;
const WRITING: u64 = 1;
const WHOLE: u64 = 2;

const DATABASE: usize = 1;
const LENGTH: usize = 6;
const TEXT: usize = 7;
const TEXT_BYTES: usize = 256;
/// The end of a text that was truncated.
const TRUNCATED: &str = "...";

/// The bit of the database's word for a name with an issuer.
const HAS_ISSUER: u64 = 1 << 32;

const _: () = assert!(TEXT + TEXT_BYTES / size_of::<u64>() <= NAME);

/// How often a process inspects a row that another one is writing. It then does without.
const ATTEMPTS: usize = 1000;

/// A row, by its number.
#[derive(Clone, Copy)]
pub struct Row(pub(super) usize);

/// The row of all that have no other.
const OTHERS: Row = Row(ROWS);

/// What a row is about.
pub struct DatabaseIssuer {
    /// None before a login has chosen one.
    pub database: Option<Oid>,
    /// None for tokens without an issuer that is configured.
    pub issuer: Option<String>,
}

/// The row of an issuer in the database of this process, which is looked up once.
pub struct IssuerRow(Cell<Option<(Oid, Row)>>);

impl IssuerRow {
    /// A row that was not looked up.
    pub const fn new() -> Self {
        IssuerRow(Cell::new(None))
    }

    /// The row of this issuer, always the same. It cannot fail.
    pub fn get(&self, issuer: Option<&str>) -> Row {
        let database = backend::database();
        match self.0.get() {
            // A login reads the settings before it has a database.
            Some((of, row)) if of == database => row,
            _ => {
                let row = Memory::get().map_or(OTHERS, |memory| find_or_add(&memory, database, issuer));
                self.0.set(Some((database, row)));
                row
            }
        }
    }
}

/// The row of tokens without an issuer that is configured.
pub fn without_issuer() -> Row {
    thread_local! {
        static ROW: IssuerRow = const { IssuerRow::new() };
    }
    ROW.with(|row| row.get(None))
}

/// The row of an issuer, which takes a free one if it has none.
fn find_or_add(memory: &Memory, database: Oid, issuer: Option<&str>) -> Row {
    let name = Name::new(database, issuer);
    for (number, cells) in memory.names().iter().enumerate() {
        let mut state = cells[0].load(Acquire);
        if state == FREE {
            match cells[0].compare_exchange(FREE, WRITING, Acquire, Acquire) {
                Ok(_) => {
                    name.write(cells);
                    return Row(number);
                }
                Err(other) => state = other,
            }
        }
        for _ in 0..ATTEMPTS {
            if state != WRITING {
                break;
            }
            std::thread::yield_now();
            state = cells[0].load(Acquire);
        }
        if state == WRITING {
            // It may be the name of this row.
            return OTHERS;
        }
        if name.is_in(cells) {
            return Row(number);
        }
    }
    OTHERS
}

/// The name of a row.
struct Name {
    /// Database and digest.
    key: [u64; 5],
    text: [u8; TEXT_BYTES],
    length: u64,
}

impl Name {
    fn new(database: Oid, issuer: Option<&str>) -> Self {
        let mut key = [0; 5];
        key[0] = u64::from(database.to_u32()) | issuer.map_or(0, |_| HAS_ISSUER);
        let issuer = issuer.unwrap_or_default();
        for (word, chunk) in key[1..].iter_mut().zip(digest(issuer.as_bytes()).as_chunks().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        let (begin, end) = if issuer.len() > TEXT_BYTES {
            let begin = issuer.floor_char_boundary(TEXT_BYTES - TRUNCATED.len());
            (&issuer[..begin], TRUNCATED)
        } else {
            (issuer, "")
        };
        let mut text = [0; TEXT_BYTES];
        let mut length = 0;
        for (byte, value) in text.iter_mut().zip(begin.bytes().chain(end.bytes())) {
            *byte = value;
            length += 1;
        }
        Name { key, text, length }
    }

    fn is_in(&self, cells: &[AtomicU64; NAME]) -> bool {
        let stored = cells[DATABASE..].iter().map(|cell| cell.load(Relaxed));
        stored.zip(self.key).all(|(stored, word)| stored == word)
    }

    fn write(&self, cells: &[AtomicU64; NAME]) {
        for (cell, part) in cells[DATABASE..].iter().zip(self.key) {
            cell.store(part, Relaxed);
        }
        cells[LENGTH].store(self.length, Relaxed);
        for (cell, chunk) in cells[TEXT..].iter().zip(self.text.as_chunks().0) {
            cell.store(u64::from_le_bytes(*chunk), Relaxed);
        }
        cells[0].store(WHOLE, Release);
    }
}

/// What the row with this number is about; None for a free one.
pub fn read(memory: &Memory, number: usize) -> Option<DatabaseIssuer> {
    let cells = memory.names().get(number)?;
    if cells[0].load(Acquire) != WHOLE {
        return None;
    }
    let mut bytes = [0; TEXT_BYTES];
    for (chunk, word) in bytes.as_chunks_mut().0.iter_mut().zip(&cells[TEXT..]) {
        *chunk = word.load(Relaxed).to_le_bytes();
    }
    let length = usize::try_from(cells[LENGTH].load(Relaxed)).ok()?;
    let issuer = String::from_utf8(bytes.get(..length)?.to_vec()).ok()?;
    let database = cells[DATABASE].load(Relaxed);
    Some(DatabaseIssuer {
        database: Some(Oid::from_u32(database as u32)).filter(|oid| oid.to_u32() != 0),
        issuer: (database & HAS_ISSUER != 0).then_some(issuer),
    })
}
