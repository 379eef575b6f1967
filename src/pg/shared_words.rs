//! Shared memory whose size is known when it is requested: words, whose first content their owner writes. What it leaves
//! alone is not touched, so that unused memory costs nothing.

use std::ffi::CStr;
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::Relaxed};

use pgrx::pg_sys;

use crate::pg::shared_memory::Region;

/// Words that all processes share. Each is read and written atomically.
pub struct SharedWords {
    name: &'static CStr,
    count: fn() -> usize,
    /// Writes their content at the start of the server. Without success no process uses them.
    begin: fn(&[AtomicU64]) -> bool,
    /// Null unless the library is preloaded.
    address: AtomicPtr<AtomicU64>,
    length: AtomicUsize,
}

impl SharedWords {
    /// Words with a name. PostgreSQL knows its own limits when `count` is called.
    pub const fn new(name: &'static CStr, count: fn() -> usize, begin: fn(&[AtomicU64]) -> bool) -> Self {
        SharedWords {
            name,
            count,
            begin,
            address: AtomicPtr::new(ptr::null_mut()),
            length: AtomicUsize::new(0),
        }
    }

    /// The words; none unless the library is preloaded and they have begun.
    pub fn get(&self) -> &'static [AtomicU64] {
        let address = self.address.load(Relaxed);
        if address.is_null() {
            return &[];
        }
        // SAFETY: `start` has stored the address of this many words of the server's memory, which the kernel has filled. A
        // process never loses it before its last statement, and every access is atomic.
        unsafe { slice::from_raw_parts(address, self.length.load(Relaxed)) }
    }
}

impl Region for SharedWords {
    fn name(&self) -> &'static CStr {
        self.name
    }

    unsafe fn request(&'static self) {
        let bytes = (self.count)() * size_of::<AtomicU64>();
        if bytes > 0 {
            // SAFETY: the caller's promise.
            unsafe { pg_sys::RequestAddinShmemSpace(bytes) };
        }
    }

    unsafe fn start(&'static self) {
        let length = (self.count)();
        if length == 0 {
            return;
        }
        let mut found = false;
        // SAFETY: the caller's promise. The postmaster is the only process then, and nothing else has this name.
        let address =
            unsafe { pg_sys::ShmemInitStruct(self.name.as_ptr(), length * size_of::<AtomicU64>(), &raw mut found) }
                .cast::<AtomicU64>();
        // PostgreSQL returns this many bytes, aligned for every type, which no other process can have yet.
        self.length.store(length, Relaxed);
        self.address.store(address, Relaxed);
        if !found && !(self.begin)(self.get()) {
            self.address.store(ptr::null_mut(), Relaxed);
        }
    }
}
