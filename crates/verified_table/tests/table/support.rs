//! A table, and keys with the identity that belongs to each.

use std::sync::atomic::AtomicU64;

use verified_table::{Basis, Entry, Key, Sources, Table, Writer, digest};

pub struct Memory(pub Vec<AtomicU64>);

impl Memory {
    pub fn new(kilobytes: usize) -> Memory {
        // Not zero, because the table must not depend on that.
        let words = (0..kilobytes * 128).map(|_| AtomicU64::new(u64::MAX)).collect();
        let memory = Memory(words);
        memory.table().clear();
        memory
    }

    pub fn table(&self) -> Table<'_> {
        Table::new(&self.0)
    }
}

pub fn key(number: u64) -> Key {
    let sources = Sources::new(&digest(b"providers"), []);
    Basis {
        secret: &[7; 32],
        version: "1",
        encoding: 6,
        sources: &sources,
        token: &digest(&number.to_le_bytes()),
    }
    .key()
}

/// The only entry that belongs to the key of this number.
pub fn entry(number: u64, bytes: usize) -> Entry {
    let mut identity = Vec::new();
    let mut part = 0_u64;
    while identity.len() < bytes {
        identity.extend_from_slice(&digest(&[number.to_le_bytes(), part.to_le_bytes()].concat()));
        part += 1;
    }
    identity.truncate(bytes);
    let provider = u32::try_from(number % 100).unwrap();
    Entry { provider, identity }
}

pub fn writer(process: u32) -> Writer<'static> {
    Writer {
        process,
        is_gone: &|_| false,
    }
}

pub fn insert(table: &Table<'_>, number: u64, bytes: usize) {
    let Entry { provider, identity } = entry(number, bytes);
    table.insert(&key(number), provider, &identity, &writer(1));
}
