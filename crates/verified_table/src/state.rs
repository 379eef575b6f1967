//! The state of a slot: one word that tells readers whether what they have read is whole.
//!
//! ```text
//! bits 24..64   how often a process has begun and ended to write
//! bits  0..24   the process that writes now; 0 while none does
//! ```
//!
//! A writer that died leaves its number. Its slot has no entry for any reader, and another process may take it over. No two
//! writers ever make the same state, even if the second one has the number of the first: of several that take a slot over,
//! one succeeds.

/// The number of bits of a process. Linux has at most 2^22 processes.
const WRITER_BITS: u32 = 24;
const WRITER: u64 = (1 << WRITER_BITS) - 1;

/// A state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State(pub u64);

impl State {
    /// The state of a slot that has never had an entry.
    pub const NEW: State = State(0);

    /// Whether the slot has an entry that is whole.
    pub fn is_whole(self) -> bool {
        self != State::NEW && self.writer() == 0
    }

    /// The process that writes now, or died while it wrote; 0 for none.
    pub fn writer(self) -> u32 {
        u32::try_from(self.0 & WRITER).unwrap_or(0)
    }

    /// The state while this process writes. None for a number that is no process's, or does not fit.
    pub fn written_by(self, writer: u32) -> Option<State> {
        let writer = u64::from(writer);
        (1..=WRITER)
            .contains(&writer)
            .then_some(State(self.written().0 | writer))
    }

    /// The state after the process has written. It differs from each state of the slot before.
    pub fn written(self) -> State {
        State((self.0 | WRITER).wrapping_add(1))
    }
}
