//! The sizes of tables and identities.

use crate::support::{Memory, entry, insert, key};
use verified_table::MAX_IDENTITY_BYTES;

#[test]
fn an_entry_is_found_as_it_was_stored() {
    let memory = Memory::new(8192);
    let table = memory.table();
    let sizes = [
        0, 1, 7, 8, 9, 82, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 16_383, 16_384,
    ];
    for (number, bytes) in (1..).zip(sizes) {
        assert_eq!(table.find(&key(number)), None);
        insert(&table, number, bytes);
    }
    for (number, bytes) in (1..).zip(sizes) {
        assert_eq!(table.find(&key(number)), Some(entry(number, bytes)), "{bytes}");
    }
    // Another process sees the same.
    assert_eq!(memory.table().find(&key(5)), Some(entry(5, 9)));
}

#[test]
fn an_identity_over_16_kib_stays_out() {
    let memory = Memory::new(8192);
    let table = memory.table();
    assert_eq!((MAX_IDENTITY_BYTES, table.max_identity_bytes()), (16_384, 16_384));
    insert(&table, 1, 16_385);
    assert_eq!(table.find(&key(1)), None);
    insert(&table, 1, 16_384);
    assert_eq!(table.find(&key(1)), Some(entry(1, 16_384)));
}

#[test]
fn a_table_without_words_stores_nothing() {
    for kilobytes in [0, 1, 8, 16] {
        let memory = Memory::new(kilobytes);
        let table = memory.table();
        assert_eq!((table.slots(), table.max_identity_bytes()), (0, 0), "{kilobytes}");
        insert(&table, 1, 100);
        assert_eq!(table.find(&key(1)), None);
    }
}

#[test]
fn a_table_of_any_size_stores_what_it_has_room_for() {
    // The bounds of each class: 2 sets of 8.5 KiB, 4 of 16.5, 8 of 32.5, 8 of 128.5.
    for (kilobytes, slots, largest) in [
        (16, 0, 0),
        (17, 8, 1024),
        (65, 24, 1024),
        (66, 32, 2048),
        (259, 144, 2048),
        (260, 152, 4096),
        (1027, 624, 4096),
        (1028, 632, 16_384),
        (8191, 5144, 16_384),
        (8192, 5144, 16_384),
        (100_003, 63_024, 16_384),
    ] {
        let memory = Memory::new(kilobytes);
        let table = memory.table();
        let found = (table.slots(), table.max_identity_bytes());
        assert_eq!(found, (slots, largest), "{kilobytes}");
        insert(&table, 1, largest);
        assert_eq!(table.find(&key(1)).is_some(), largest > 0);
        insert(&table, 2, largest + 1);
        assert_eq!(table.find(&key(2)), None);
    }
}

#[test]
fn no_two_slots_share_a_word() {
    for kilobytes in [17, 66, 261, 1030, 2000] {
        let memory = Memory::new(kilobytes);
        let table = memory.table();
        // As many as fit into the sets that they happen to belong to. None replaces a part of another.
        for bytes in [1024, 2048, 4096, 16_384] {
            let numbers = || (0..400).map(move |number| number * 100_000 + bytes);
            let size = usize::try_from(bytes).unwrap();
            numbers().for_each(|number| insert(&table, number, size));
            for number in numbers() {
                let found = table.find(&key(number));
                assert!(found.is_none() || found == Some(entry(number, size)));
            }
        }
    }
}
