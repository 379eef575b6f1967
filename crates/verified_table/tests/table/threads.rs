//! Several processes at once: whatever they do, a reader finds the entry of its key or nothing.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use crate::support::{Memory, entry, key, writer};
use verified_table::Entry;

/// The number of rounds of each thread; `PG_SESSION_JWT_TABLE=1000000` for more.
fn rounds() -> u64 {
    let rounds = std::env::var("PG_SESSION_JWT_TABLE").ok();
    rounds.map_or(3_000, |rounds| rounds.parse().unwrap())
}

/// Lets threads read and write entries of so many keys, and returns how often an entry was found.
fn hammer(kilobytes: usize, keys: u64, threads: u32, bytes: fn(u64) -> usize) -> u64 {
    let memory = Memory::new(kilobytes);
    let entries: Vec<_> = (0..keys)
        .map(|number| (key(number), entry(number, bytes(number))))
        .collect();
    let hits = AtomicU64::new(0);
    thread::scope(|scope| {
        for process in 1..=threads {
            let (memory, entries, hits) = (&memory, &entries, &hits);
            scope.spawn(move || {
                let table = memory.table();
                let mut random = u64::from(process);
                for _ in 0..rounds() {
                    // Knuth's MMIX generator.
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let (key, expected) = &entries[usize::try_from((random >> 33) % keys).unwrap()];
                    match table.find(key) {
                        Some(found) => {
                            assert!(found == *expected, "a torn entry");
                            hits.fetch_add(1, Relaxed);
                        }
                        None => {
                            let Entry { provider, identity } = expected;
                            table.insert(key, *provider, identity, &writer(process));
                        }
                    }
                }
            });
        }
    });
    hits.into_inner()
}

#[test]
fn entries_of_one_set_are_never_torn() {
    // Three times as many keys as slots, so that slots are replaced while others read them.
    assert!(hammer(17, 24, 8, |_| 1024) > 0);
    assert!(hammer(17, 9, 4, |number| usize::try_from(number * 113).unwrap()) > 0);
}

#[test]
fn entries_of_all_classes_are_never_torn() {
    let bytes = |number: u64| [900, 1900, 3900, 16_384][usize::try_from(number % 4).unwrap()];
    assert!(hammer(1100, 2_000, 8, bytes) > 0);
}

#[test]
fn keys_that_fit_are_all_found_in_the_end() {
    let memory = Memory::new(8192);
    thread::scope(|scope| {
        for process in 1..=4 {
            let memory = &memory;
            scope.spawn(move || {
                for number in 0..200 {
                    let Entry { provider, identity } = entry(number, 700);
                    memory
                        .table()
                        .insert(&key(number), provider, &identity, &writer(process));
                }
            });
        }
    });
    // Each set has room for the few keys that belong to it, also where two processes have stored one of them twice.
    assert!((0..200).all(|number| memory.table().find(&key(number)) == Some(entry(number, 700))));
}
