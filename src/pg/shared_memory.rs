//! Shared memory, requested while the library is preloaded: one value behind a lock, or one counter. Their contents are in
//! `crate::jwks::shared_table`. A region of another size is in [`shared_words`](crate::pg::shared_words).

use std::ffi::CStr;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgAtomic, PgLwLock, PgSharedMemoryInitialization};

/// Plain data: `Copy` excludes destructors, and `Send` excludes raw pointers.
#[derive(Clone, Copy)]
struct Plain<T>(T);

// SAFETY: such a value has neither a destructor nor a pointer. `Shared::new` forbids references.
unsafe impl<T: Copy + Send + 'static> PGRXSharedMemory for Plain<T> {}

/// A value that all processes share.
pub struct Shared<T: Copy + Send + 'static> {
    lock: PgLwLock<Plain<T>>,
    initial: fn() -> T,
}

impl<T: Copy + Send + 'static> Shared<T> {
    /// A value with a name and its content at the start of the server. `T` has no references: they would be of one process.
    pub const fn new(name: &'static CStr, initial: fn() -> T) -> Self {
        // SAFETY: `request` panics if two values have the same name, before any of them can be used.
        let lock = unsafe { PgLwLock::new(name) };
        Shared { lock, initial }
    }

    /// The value, behind a lock that other readers can hold too.
    pub fn share(&self) -> impl Deref<Target = T> {
        Guard(self.lock.share())
    }

    /// The value, behind an exclusive lock.
    pub fn exclusive(&self) -> impl DerefMut<Target = T> {
        Guard(self.lock.exclusive())
    }
}

struct Guard<G>(G);

impl<T, G: Deref<Target = Plain<T>>> Deref for Guard<G> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.0
    }
}

impl<T, G: DerefMut<Target = Plain<T>>> DerefMut for Guard<G> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0.0
    }
}

/// A number that all processes share, from 1.
pub struct SharedCounter(PgAtomic<AtomicU64>);

impl SharedCounter {
    /// A counter with a name.
    pub const fn new(name: &'static CStr) -> Self {
        // SAFETY: `request` panics if two values have the same name, before any of them can be used.
        SharedCounter(unsafe { PgAtomic::new(name) })
    }

    /// The current number.
    pub fn get(&self) -> u64 {
        self.0.get().load(Acquire)
    }

    /// The next number, which no other call returns.
    pub fn next(&self) -> u64 {
        self.0.get().fetch_add(1, AcqRel) + 1
    }
}

/// What [`request`] can reserve.
pub trait Region: Sync {
    /// The name, unique in the server.
    fn name(&self) -> &'static CStr;

    /// # Safety
    /// PostgreSQL is in shmem_request_hook.
    unsafe fn request(&'static self);

    /// # Safety
    /// PostgreSQL is in shmem_startup_hook.
    unsafe fn start(&'static self);
}

impl<T: Copy + Send + 'static> Region for Shared<T> {
    fn name(&self) -> &'static CStr {
        self.lock.name()
    }

    unsafe fn request(&'static self) {
        // SAFETY: the caller's promise.
        unsafe { self.lock.on_shmem_request() };
    }

    unsafe fn start(&'static self) {
        let initial = Plain((self.initial)());
        // SAFETY: the caller's promise.
        unsafe { self.lock.on_shmem_startup(initial) };
    }
}

impl Region for SharedCounter {
    fn name(&self) -> &'static CStr {
        self.0.name()
    }

    unsafe fn request(&'static self) {
        // SAFETY: the caller's promise.
        unsafe { self.0.on_shmem_request() };
    }

    unsafe fn start(&'static self) {
        // SAFETY: the caller's promise.
        unsafe { self.0.on_shmem_startup(AtomicU64::new(1)) };
    }
}

/// The regions that were requested.
static REGIONS: Mutex<Vec<&'static dyn Region>> = Mutex::new(Vec::new());

struct Hooks {
    previous_request: pg_sys::shmem_request_hook_type,
    previous_startup: pg_sys::shmem_startup_hook_type,
}

static HOOKS: OnceLock<Hooks> = OnceLock::new();

/// Requests shared memory, while the library is preloaded.
///
/// # Panics
/// Two regions have the same name.
pub fn request(regions: &[&'static dyn Region]) {
    for region in regions {
        let mut requested = requested();
        let is_taken = requested.iter().any(|other| other.name() == region.name());
        assert!(
            !is_taken,
            "two regions of shared memory have the name {:?}",
            region.name()
        );
        requested.push(*region);
    }
    install();
}

fn requested() -> MutexGuard<'static, Vec<&'static dyn Region>> {
    REGIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs the hooks, once in a process.
fn install() {
    HOOKS.get_or_init(|| {
        // SAFETY: reads a global of this process, which has one thread.
        let previous_request = unsafe { pg_sys::shmem_request_hook };
        // SAFETY: writes that global; the function lives as long as the library, which is never unloaded.
        unsafe { pg_sys::shmem_request_hook = Some(on_request) };
        // SAFETY: reads a global of this process, which has one thread.
        let previous_startup = unsafe { pg_sys::shmem_startup_hook };
        // SAFETY: writes that global; the function lives as long as the library, which is never unloaded.
        unsafe { pg_sys::shmem_startup_hook = Some(on_startup) };
        Hooks {
            previous_request,
            previous_startup,
        }
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn on_request() {
    let Some(hooks) = HOOKS.get() else { return };
    run_previous(hooks.previous_request);
    for region in requested().iter() {
        // SAFETY: PostgreSQL calls this hook.
        unsafe { region.request() };
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_startup() {
    let Some(hooks) = HOOKS.get() else { return };
    run_previous(hooks.previous_startup);
    for region in requested().iter() {
        // SAFETY: PostgreSQL calls this hook.
        unsafe { region.start() };
    }
}

fn run_previous(hook: Option<unsafe extern "C-unwind" fn()>) {
    if let Some(hook) = hook {
        #[expect(ffi_unwind_calls, reason = "guarded below")]
        // SAFETY: the previous hook, called from the hook that replaced it.
        let run = || unsafe { hook() };
        // SAFETY: the closure owns nothing that must be dropped, and this is the one thread.
        unsafe { pg_guard_ffi_boundary(run) };
    }
}
