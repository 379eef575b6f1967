//! Numbers that differ whenever something that an answer depends on may have changed.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::pg::backend_slots;

/// Counts the changes of keys, from 1.
static KEY_GENERATION: AtomicU64 = AtomicU64::new(1);

/// The state of the keys that identities depend on. It differs whenever they may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyGeneration(NonZeroU64);

/// The key generation at this moment.
pub fn key_generation() -> KeyGeneration {
    KeyGeneration(NonZeroU64::new(KEY_GENERATION.load(Relaxed)).unwrap_or(NonZeroU64::MAX))
}

/// Begins a new key generation: every identity is verified again at its next use, and is shown to other sessions from then
/// on.
pub fn keys_changed() {
    KEY_GENERATION.fetch_add(1, Relaxed);
    backend_slots::clear();
    settings_changed();
}

/// Counts the assignments of all settings that an identity depends on.
static SETTINGS_VERSION: AtomicU64 = AtomicU64::new(1);

/// Like [`mode::settings_version`](crate::identity::mode::settings_version), for callers that already hold a version: the
/// owner of a setting never changes within a process.
#[inline]
pub fn settings_version() -> u64 {
    SETTINGS_VERSION.load(Relaxed)
}

/// Counts an assignment.
pub fn settings_changed() {
    SETTINGS_VERSION.fetch_add(1, Relaxed);
}

/// Counts the assignments of the restrictions that are not keys.
static RESTRICTIONS: AtomicU64 = AtomicU64::new(1);

/// The number of assignments of restrictions.
pub fn restrictions() -> u64 {
    RESTRICTIONS.load(Relaxed)
}

/// Counts the assignment of a restriction.
pub fn restricted() {
    RESTRICTIONS.fetch_add(1, Relaxed);
    backend_slots::clear();
    settings_changed();
}
