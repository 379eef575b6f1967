//! The process that stores an entry.

use crate::state::State;

/// A process that writes.
pub struct Writer<'a> {
    /// Its number, which no other living process has.
    pub process: u32,
    /// Whether a process has ended.
    pub is_gone: &'a dyn Fn(u32) -> bool,
}

impl Writer<'_> {
    /// Whether a slot was left by a process that will never finish its entry. A process writes one entry at a time, so its
    /// own number is that of an earlier process.
    pub(crate) fn may_take_over(&self, state: State) -> bool {
        let writer = state.writer();
        writer != 0 && (writer == self.process || (self.is_gone)(writer))
    }
}
