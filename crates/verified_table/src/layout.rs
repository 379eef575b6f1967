//! Where the sets and the data of each class are.

/// The slots of a set.
pub const WAYS: usize = 8;
/// The words of a set.
pub const SET_WORDS: usize = 64;
const WORD_BYTES: usize = 8;

/// The bytes of the slots of each class, and the share of the table that the class has: 1/2, 1/4, 1/8 and 1/8.
const CLASSES: [(usize, usize); 4] = [(1024, 2), (2048, 4), (4096, 8), (MAX_IDENTITY_BYTES, 8)];

/// The largest identity that is stored.
pub const MAX_IDENTITY_BYTES: usize = 16 * 1024;

/// The slots of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// The words of the data of a slot.
    pub words: usize,
    /// The number of sets; 0 in a table that is too small.
    pub sets: usize,
    /// The first word of its sets, in the table.
    pub sets_at: usize,
    /// The first word of its data, in the table.
    pub data_at: usize,
}

impl Class {
    /// The largest identity.
    pub fn bytes(&self) -> usize {
        self.words.saturating_mul(WORD_BYTES)
    }

    /// The words of the data of all slots.
    fn data_words(&self) -> usize {
        self.sets.saturating_mul(WAYS).saturating_mul(self.words)
    }
}

/// The classes of a table of this number of words, the smallest one first.
pub fn classes(table_words: usize) -> [Class; 4] {
    let mut at = 0_usize;
    let mut classes = CLASSES.map(|(bytes, share)| {
        let words = bytes.div_euclid(WORD_BYTES);
        let set = WAYS.saturating_mul(words).saturating_add(SET_WORDS);
        let sets = table_words.checked_div(share.saturating_mul(set)).unwrap_or(0);
        let sets_at = at;
        at = at.saturating_add(sets.saturating_mul(SET_WORDS));
        Class {
            words,
            sets,
            sets_at,
            data_at: 0,
        }
    });
    for class in &mut classes {
        class.data_at = at;
        at = at.saturating_add(class.data_words());
    }
    classes
}

/// The number of words of all sets, which are at the beginning of the table.
pub fn directory_words(classes: &[Class]) -> usize {
    classes.iter().map(|class| class.sets.saturating_mul(SET_WORDS)).sum()
}
