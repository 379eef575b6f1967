//! Processes that die while they write.

use std::sync::atomic::Ordering::Relaxed;

use crate::support::{Memory, entry, insert, key, writer};
use verified_table::{Entry, Writer};

/// Inserts with process 2, which knows that process 1 has ended.
fn insert_after_death(memory: &Memory, number: u64) {
    let Entry { provider, identity } = entry(number, 500);
    let writer = Writer {
        process: 2,
        is_gone: &|process| process == 1,
    };
    memory.table().insert(&key(number), provider, &identity, &writer);
}

fn words(memory: &Memory) -> Vec<u64> {
    memory.0.iter().map(|word| word.load(Relaxed)).collect()
}

/// A table with one set whose entries are 1 to 8. A process died when it had written a part of entry 9, in the slot of
/// entry 1: the words for which `is_written` is true.
fn after_death(is_written: impl Fn(usize) -> bool) -> Memory {
    let memory = Memory::new(17);
    (1..=8).for_each(|number| insert(&memory.table(), number, 500));
    let before = words(&memory);
    insert(&memory.table(), 9, 500);
    let after = words(&memory);
    let state = 16;
    // One for the beginning, and one for the end.
    assert_eq!(before[state] + (2 << 24), after[state]);
    memory.0[state].store(before[state] + 1, Relaxed);
    let changed = (0..before.len()).filter(|at| before[*at] != after[*at] && *at != state);
    for (position, at) in changed.enumerate() {
        if !is_written(position) {
            memory.0[at].store(before[at], Relaxed);
        }
    }
    memory
}

#[test]
fn an_entry_that_was_written_in_part_is_never_found() {
    let parts: [(&str, &dyn Fn(usize) -> bool); 5] = [
        ("nothing", &|_| false),
        ("everything", &|_| true),
        ("every second word", &|position| position % 2 == 0),
        ("every other second word", &|position| position % 2 == 1),
        ("every third word", &|position| position % 3 == 0),
    ];
    for (name, is_written) in parts {
        check(name, is_written);
    }
    for count in 0..70 {
        check("the first words", &|position| position < count);
        check("the last words", &|position| position >= count);
    }
}

/// The slot has no entry, the others have theirs, and another process takes the slot over.
fn check(name: &str, is_written: &dyn Fn(usize) -> bool) {
    let memory = after_death(is_written);
    let table = memory.table();
    for number in [1, 9] {
        assert_eq!(table.find(&key(number)), None, "{name}");
    }
    for number in 2..=8 {
        assert_eq!(table.find(&key(number)), Some(entry(number, 500)), "{name}");
    }
    for number in [1, 9, 10] {
        let memory = after_death(is_written);
        insert_after_death(&memory, number);
        assert_eq!(memory.table().find(&key(number)), Some(entry(number, 500)), "{name}");
        let others = (2..=8).filter(|other| memory.table().find(&key(*other)).is_some());
        assert_eq!(others.count(), 7, "{name}");
    }
}

#[test]
fn a_slot_of_a_living_process_is_left_alone() {
    let memory = after_death(|_| false);
    let living = Writer {
        process: 2,
        is_gone: &|_| false,
    };
    let Entry { provider, identity } = entry(10, 500);
    for _ in 0..100 {
        memory.table().insert(&key(10), provider, &identity, &living);
    }
    assert_eq!(memory.0[16].load(Relaxed) & 0xff_ffff, 1);
    assert_eq!(memory.table().find(&key(10)), Some(entry(10, 500)));
}

#[test]
fn a_number_that_was_used_again_takes_over_as_well() {
    let memory = after_death(|_| true);
    let Entry { provider, identity } = entry(9, 500);
    memory.table().insert(&key(9), provider, &identity, &writer(1));
    assert_eq!(memory.table().find(&key(9)), Some(entry(9, 500)));
}

#[test]
fn a_set_that_only_others_write_stores_nothing() {
    let memory = Memory::new(17);
    (1..=8).for_each(|number| insert(&memory.table(), number, 500));
    for way in 0..8 {
        memory.0[16 + way].fetch_add(3, Relaxed);
    }
    insert(&memory.table(), 9, 500);
    assert!((1..=9).all(|number| memory.table().find(&key(number)).is_none()));
}

#[test]
fn a_process_whose_number_does_not_fit_stores_nothing() {
    let memory = Memory::new(17);
    for process in [0, 1 << 24, u32::MAX] {
        let Entry { provider, identity } = entry(1, 500);
        memory.table().insert(&key(1), provider, &identity, &writer(process));
        assert_eq!(memory.table().find(&key(1)), None);
    }
    let Entry { provider, identity } = entry(1, 500);
    memory
        .table()
        .insert(&key(1), provider, &identity, &writer((1 << 24) - 1));
    assert_eq!(memory.table().find(&key(1)), Some(entry(1, 500)));
}
