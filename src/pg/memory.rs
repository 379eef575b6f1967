//! Memory of PostgreSQL's that ends with a closure.

use std::marker::PhantomData;

use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys::{self, MemoryContext};

/// Memory that is emptied after each use.
pub struct Scratch(PgMemoryContexts);

/// Memory that lives for `'m`.
#[derive(Clone, Copy)]
pub struct Arena<'m> {
    context: MemoryContext,
    life: PhantomData<&'m ()>,
}

impl Scratch {
    /// A child of the memory that lives as long as the process, so that no owner of the current memory can free it.
    pub fn new(name: &'static str) -> Self {
        // SAFETY: only the new memory is made while its parent is the current one.
        Scratch(unsafe { PgMemoryContexts::TopMemoryContext.switch_to(|_| PgMemoryContexts::new(name)) })
    }

    /// Runs `work` with this memory as the current one, and empties it. Nodes and texts of the arena cannot leave the
    /// closure. Neither may a `Datum` that was made in it, which has no lifetime.
    pub fn run<R: 'static>(&mut self, work: impl for<'m> FnOnce(Arena<'m>) -> R) -> R {
        let Scratch(memory) = self;
        let inside = |memory: &mut PgMemoryContexts| {
            work(Arena {
                context: memory.value(),
                life: PhantomData,
            })
        };
        // SAFETY: the arena's lifetime keeps nodes and texts in the closure, and its users make no `Datum` there.
        let result = unsafe { memory.switch_to(inside) };
        // SAFETY: nothing outside of the closure refers to the memory, for the same reasons.
        unsafe { memory.reset() };
        result
    }
}

impl<'m> Arena<'m> {
    /// Runs `make` with this memory as the current one.
    pub(super) fn allocate<R>(self, make: impl FnOnce() -> R) -> R {
        // SAFETY: the memory lives for `'m`.
        let previous = unsafe { pg_sys::MemoryContextSwitchTo(self.context) };
        let made = make();
        // SAFETY: the memory that was current before; an error leaves it to PostgreSQL to restore one.
        unsafe { pg_sys::MemoryContextSwitchTo(previous) };
        made
    }
}
