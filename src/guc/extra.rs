//! The blocks that are attached to settings' values (guc.c's `extra`).
//!
//! PostgreSQL stacks, shares and frees a block together with its value (`src/backend/utils/misc/README`). An identity in it
//! therefore follows SET LOCAL, savepoints and RESET without any code of this library.
//!
//! A check hook makes the [`Block`], PostgreSQL passes its address to the assign hook, and readers borrow it from a
//! [`Slot`]. See [`hooks`](crate::guc::hooks).
//!
//! ```text
//! of an identity: IdentityHeader (repr C) | the identity in its flat form, `length` bytes
//! of a source:    SourceExtra (repr C)
//! ```

use std::cell::Cell;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

use pgrx::pg_sys;

use crate::guc::generation::KeyGeneration;
use crate::pg::clock;
use crate::token::NumericDate;
use crate::token::identity::FlatIdentity;

/// The position of a provider in `pg_session_jwt.providers`, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProviderIndex(pub usize);

/// How long a value with an identity lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Until its transaction ends, or the function that has set it.
    Transaction,
    /// Beyond its transaction.
    Session,
    /// As long as the connection, whose startup packet or login brought it.
    Connection,
    /// As long as the leader of this parallel worker has it.
    OfLeader,
}

/// A type that can be attached to a setting's value.
pub trait Extra {
    /// The block as its readers see it.
    type View<'a>;

    /// Reads a block; None where the value has none.
    ///
    /// # Safety
    /// `block` is null, or the address of a [`Block`] of this type that PostgreSQL does not free during `'a`.
    unsafe fn view<'a>(block: *mut c_void) -> Option<Self::View<'a>>;
}

/// An identity, and what it was verified by.
#[derive(Clone, Copy)]
pub struct IdentityExtra<'a> {
    /// Differs for each value that was ever checked in this process. Addresses are reused, these numbers are not.
    pub value_number: u64,
    /// The keys that the identity was verified with; None where it is still to be verified, or needs no key.
    pub verified_under: Option<KeyGeneration>,
    /// The provider that issued the token; None without providers.
    pub provider: Option<ProviderIndex>,
    /// When the value was set.
    pub since: NumericDate,
    /// None until the first assignment of the value.
    pub lifetime: &'a Cell<Option<Lifetime>>,
    /// Empty where the value is still to be verified.
    pub identity: FlatIdentity<'a>,
}

#[repr(C)]
struct IdentityHeader {
    value_number: u64,
    verified_under: Option<KeyGeneration>,
    provider: Option<ProviderIndex>,
    since: NumericDate,
    lifetime: Cell<Option<Lifetime>>,
    length: usize,
}

impl IdentityExtra<'static> {
    /// Makes a block with a new value number. The lifetime is None unless it is known before the assignment.
    pub fn block(
        verified_under: Option<KeyGeneration>,
        provider: Option<ProviderIndex>,
        lifetime: Option<Lifetime>,
        identity: &[u8],
    ) -> Block<IdentityExtra<'static>> {
        static LAST_NUMBER: AtomicU64 = AtomicU64::new(0);
        let header = IdentityHeader {
            value_number: LAST_NUMBER.fetch_add(1, Relaxed) + 1,
            verified_under,
            provider,
            since: clock::statement_start(),
            lifetime: Cell::new(lifetime),
            length: identity.len(),
        };
        let address = guc_malloc(size_of::<IdentityHeader>() + identity.len());
        if !address.is_null() {
            // SAFETY: guc_malloc aligns for every type, and the fresh block has room for the header.
            unsafe { address.cast::<IdentityHeader>().write(header) };
            // SAFETY: the block was allocated with room for the identity behind the header.
            let content = unsafe { address.cast::<u8>().add(size_of::<IdentityHeader>()) };
            // SAFETY: `content` has `identity.len()` bytes, and a fresh block overlaps nothing.
            unsafe { ptr::copy_nonoverlapping(identity.as_ptr(), content, identity.len()) };
        }
        Block::new(address)
    }
}

impl Extra for IdentityExtra<'static> {
    type View<'a> = IdentityExtra<'a>;

    unsafe fn view<'a>(block: *mut c_void) -> Option<Self::View<'a>> {
        let header = block.cast::<IdentityHeader>();
        // SAFETY: the caller's promise: null, or a block that begins with this header.
        let current = unsafe { header.as_ref() }?;
        // SAFETY: `block` above allocates `length` bytes behind the header.
        let content = unsafe { header.add(1) }.cast::<u8>();
        // SAFETY: those bytes were written once, before the address left the check hook, and live as long as the header.
        let bytes = unsafe { std::slice::from_raw_parts(content, current.length) };
        Some(IdentityExtra {
            value_number: current.value_number,
            verified_under: current.verified_under,
            provider: current.provider,
            since: current.since,
            lifetime: &current.lifetime,
            identity: FlatIdentity::new(bytes),
        })
    }
}

/// Where the value of a key or of the providers came from.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SourceExtra {
    pub source: pg_sys::GucSource::Type,
}

impl SourceExtra {
    /// Makes a block.
    pub fn block(source: pg_sys::GucSource::Type) -> Block<SourceExtra> {
        let address = guc_malloc(size_of::<SourceExtra>());
        if !address.is_null() {
            // SAFETY: guc_malloc aligns for every type, and the fresh block has room for this one.
            unsafe { address.cast::<SourceExtra>().write(SourceExtra { source }) };
        }
        Block::new(address)
    }
}

impl Extra for SourceExtra {
    type View<'a> = SourceExtra;

    unsafe fn view<'a>(block: *mut c_void) -> Option<Self::View<'a>> {
        // SAFETY: the caller's promise: null, or a block that holds this type.
        unsafe { block.cast::<SourceExtra>().as_ref() }.copied()
    }
}

/// A block that a check hook returns. PostgreSQL then owns it.
pub struct Block<E> {
    /// Null where there was no memory.
    address: *mut c_void,
    of: PhantomData<E>,
}

impl<E> Block<E> {
    fn new(address: *mut c_void) -> Self {
        Block {
            address,
            of: PhantomData,
        }
    }

    pub(super) fn into_address(self) -> *mut c_void {
        self.address
    }
}

/// PostgreSQL frees the block: with free(3) on 15, with guc_free from 16 on.
fn guc_malloc(size: usize) -> *mut c_void {
    #[cfg(feature = "pg15")]
    // SAFETY: malloc(3) has no preconditions.
    unsafe {
        libc::malloc(size).cast()
    }
    #[cfg(not(feature = "pg15"))]
    // SAFETY: at level LOG guc_malloc returns null where there is no memory, and raises nothing.
    unsafe {
        pg_sys::guc_malloc(pg_sys::LOG as i32, size)
    }
}

/// The block of a setting's current value.
pub struct Slot<E> {
    address: AtomicPtr<c_void>,
    of: PhantomData<fn() -> E>,
}

impl<E: Extra> Slot<E> {
    /// A slot of a setting without a value.
    pub const fn empty() -> Self {
        Slot {
            address: AtomicPtr::new(ptr::null_mut()),
            of: PhantomData,
        }
    }

    /// # Safety
    /// `block` is what PostgreSQL passed to the assign hook of a setting whose check hook makes blocks of type `E`. Each
    /// later assignment of that setting is stored here too.
    pub(super) unsafe fn assign(&self, block: *mut c_void) {
        self.address.store(block, Relaxed);
    }

    /// Shows the current block to `read`, which must not assign the setting.
    pub fn read<R>(&self, read: impl FnOnce(Option<E::View<'_>>) -> R) -> R {
        // SAFETY: PostgreSQL retains the block of the current value until after the next call of the assign hook, which
        // replaces the address. This process has one thread, and `read` assigns nothing.
        read(unsafe { E::view(self.address.load(Relaxed)) })
    }
}
