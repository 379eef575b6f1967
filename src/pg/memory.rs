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
    pub fn new(name: &'static str) -> Self {
        Scratch(PgMemoryContexts::new(name))
    }

    /// Runs `work` with this memory as the current one, and empties it. The result cannot refer to the memory.
    pub fn run<R: 'static>(&mut self, work: impl for<'m> FnOnce(Arena<'m>) -> R) -> R {
        let Scratch(memory) = self;
        let inside = |memory: &mut PgMemoryContexts| {
            work(Arena {
                context: memory.value(),
                life: PhantomData,
            })
        };
        // SAFETY: `R` and the arena's lifetime keep what is made in the memory from leaving the closure.
        let result = unsafe { memory.switch_to(inside) };
        // SAFETY: nothing outside of the closure has anything that was made in it.
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
