//! The block that hangs on a setting's value: PostgreSQL stacks, shares and frees it together with the value
//! (`src/backend/utils/misc/README`), so an identity kept here follows SET LOCAL, savepoints and RESET by itself.
//!
//! A check hook makes it, the assign hook hands its address to [`Slot`], readers look at it through [`Slot::read`].
//!
//! ```text
//! Header (repr C) | identity, flat form, `length` bytes
//! ```

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

use crate::token::identity::FlatIdentity;

#[repr(C)]
struct Header {
    generation: u64,
    judged_under: u64,
    provider: usize,
    length: usize,
}

/// What a block says.
#[derive(Clone, Copy)]
pub struct Extra<'a> {
    /// Differs for each value that was ever checked in this process: addresses come back, these numbers do not.
    pub generation: u64,
    /// The key generation that the identity rests on; 0 where the value is still to be judged.
    pub judged_under: u64,
    /// The place of the provider that the token is of; 0 where there are none.
    pub provider: usize,
    /// Empty where the value is still to be judged.
    pub identity: FlatIdentity<'a>,
}

/// Makes a block; null where there is no memory, which a check hook answers with false.
pub fn allocate(judged_under: u64, provider: usize, identity: &[u8]) -> *mut c_void {
    static GENERATION: AtomicU64 = AtomicU64::new(1);
    let header = Header {
        generation: GENERATION.fetch_add(1, Relaxed),
        judged_under,
        provider,
        length: identity.len(),
    };
    let block = guc_malloc(size_of::<Header>() + identity.len());
    if block.is_null() {
        return block;
    }
    // SAFETY: the block is fresh, malloc aligns for every type, and a Header fits.
    unsafe { block.cast::<Header>().write(header) };
    // SAFETY: the block was made with room for the identity behind the header.
    let content = unsafe { block.cast::<u8>().add(size_of::<Header>()) };
    // SAFETY: `content` has `identity.len()` bytes, and a fresh block overlaps nothing.
    unsafe { ptr::copy_nonoverlapping(identity.as_ptr(), content, identity.len()) };
    block
}

/// PostgreSQL frees the block: with free(3) on 15, with guc_free from 16 on.
fn guc_malloc(size: usize) -> *mut c_void {
    #[cfg(feature = "pg15")]
    // SAFETY: malloc(3) has no preconditions.
    unsafe {
        libc::malloc(size).cast()
    }
    #[cfg(not(feature = "pg15"))]
    // SAFETY: at level LOG it returns null where there is no memory, and raises nothing.
    unsafe {
        pgrx::pg_sys::guc_malloc(pgrx::pg_sys::LOG as i32, size)
    }
}

/// For the assign hooks of keys, whose blocks hold where the value came from in place of `judged_under`: a GucSource,
/// 0 (PGC_S_DEFAULT) without a block.
pub fn source(extra: *mut c_void) -> u32 {
    let slot = Slot::empty();
    slot.assign(extra);
    slot.read(|block| block.map_or(0, |block| u32::try_from(block.judged_under).unwrap_or(0)))
}

/// Where an assign hook leaves the block of the current value.
pub struct Slot(AtomicPtr<Header>);

impl Slot {
    /// No value.
    pub const fn empty() -> Self {
        Slot(AtomicPtr::new(ptr::null_mut()))
    }

    /// For assign hooks: `extra` is what they were called with.
    pub fn assign(&self, extra: *mut c_void) {
        self.0.store(extra.cast(), Relaxed);
    }

    /// Shows the current block to `read`, which must not assign the setting.
    pub fn read<R>(&self, read: impl FnOnce(Option<Extra<'_>>) -> R) -> R {
        let header = self.0.load(Relaxed);
        // SAFETY: null, or the block of the current value, which PostgreSQL keeps until after the next call of the
        // assign hook; this process has one thread, and `read` assigns nothing.
        let Some(current) = (unsafe { header.as_ref() }) else {
            return read(None);
        };
        // SAFETY: `allocate` made the block with `length` bytes behind the header.
        let content = unsafe { header.add(1) }.cast::<u8>();
        // SAFETY: as before; the bytes were written once, before the address got here.
        let bytes = unsafe { std::slice::from_raw_parts(content, current.length) };
        read(Some(Extra {
            generation: current.generation,
            judged_under: current.judged_under,
            provider: current.provider,
            identity: FlatIdentity::new(bytes),
        }))
    }
}
