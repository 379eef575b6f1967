//! The slot that a new entry takes: an empty one, or the next that was not used.

use crate::support::{Memory, entry, insert, key, writer};
use verified_table::{Entry, Table};

/// A table with one set of 8 slots.
fn one_set() -> Memory {
    Memory::new(17)
}

fn found(table: &Table<'_>, numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let is_found = |number: &u64| {
        let found = table.find(&key(*number));
        assert!(found.is_none() || found == Some(entry(*number, 500)));
        found.is_some()
    };
    numbers.into_iter().filter(is_found).collect()
}

#[test]
fn a_set_has_eight_slots_and_the_oldest_is_evicted_first() {
    let memory = one_set();
    let table = memory.table();
    (1..=8).for_each(|number| insert(&table, number, 500));
    // The ninth takes the slot of the first, the tenth that of the second.
    insert(&table, 9, 500);
    insert(&table, 10, 500);
    assert_eq!(found(&table, 1..=10), [3, 4, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn a_used_entry_has_a_second_chance() {
    let memory = one_set();
    let table = memory.table();
    (1..=8).for_each(|number| insert(&table, number, 500));
    assert_eq!(found(&table, [1, 2, 4]), [1, 2, 4]);
    insert(&table, 9, 500);
    insert(&table, 10, 500);
    assert_eq!(found(&table, [1, 2, 4, 9, 10]), [1, 2, 4, 9, 10]);
    assert_eq!(found(&table, [3, 5]), [0_u64; 0]);
}

#[test]
fn entries_that_are_all_used_are_evicted_after_one_round() {
    let memory = one_set();
    let table = memory.table();
    (1..=8).for_each(|number| insert(&table, number, 500));
    assert_eq!(found(&table, 1..=8).len(), 8);
    insert(&table, 9, 500);
    assert_eq!(found(&table, 1..=9), [2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn many_entries_that_are_used_once_do_not_evict_those_in_use() {
    let memory = one_set();
    let table = memory.table();
    (1..=4).for_each(|number| insert(&table, number, 500));
    for number in 100..1000 {
        assert_eq!(found(&table, 1..=4), [1, 2, 3, 4], "{number}");
        insert(&table, number, 500);
    }
    assert_eq!(found(&table, 996..1000).len(), 4);
}

#[test]
fn an_entry_is_stored_once() {
    let memory = one_set();
    let table = memory.table();
    (0..100).for_each(|_| insert(&table, 1, 500));
    (2..=8).for_each(|number| insert(&table, number, 500));
    assert_eq!(found(&table, 1..=8).len(), 8);
}

#[test]
fn a_full_table_still_stores() {
    let memory = Memory::new(1100);
    let table = memory.table();
    for number in 0..5_000 {
        let bytes = [500, 1500, 3000, 10_000][usize::try_from(number % 4).unwrap()];
        insert(&table, number, bytes);
        assert_eq!(table.find(&key(number)), Some(entry(number, bytes)));
    }
    let left = (0..5_000).filter(|number| table.find(&key(*number)).is_some()).count();
    assert_eq!(left, table.slots());
}

#[test]
fn only_the_end_of_another_entry_is_an_eviction() {
    let memory = one_set();
    let table = memory.table();
    let evicts = |number: u64| {
        let Entry { provider, identity } = entry(number, 500);
        table.insert(&key(number), provider, &identity, &writer(1))
    };
    assert_eq!(table.entries(), 0);
    for number in 1..=8 {
        assert!(!evicts(number));
        assert_eq!(table.entries(), usize::try_from(number).unwrap());
    }
    // It is stored already, or too large.
    assert!(!evicts(8));
    let Entry { provider, identity } = entry(9, 20_000);
    assert!(!table.insert(&key(9), provider, &identity, &writer(1)));
    for number in 10..20 {
        assert!(evicts(number), "{number}");
        assert_eq!(table.entries(), 8);
    }
}
