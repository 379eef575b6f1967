//! Numbers that differ whenever something that an answer depends on may have changed.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts what happens to the keys.
static KEY_GENERATION: AtomicU64 = AtomicU64::new(1);

/// Differs whenever the keys that identities rest on may have changed. Never 0.
pub fn key_generation() -> u64 {
    KEY_GENERATION.load(Relaxed)
}

pub fn keys_changed() {
    KEY_GENERATION.fetch_add(1, Relaxed);
    assigned();
}

/// Counts the assignments of all settings that an identity depends on.
static ASSIGNMENTS: AtomicU64 = AtomicU64::new(1);

/// As [`assignments`](crate::identity::mode::assignments), for who had an answer from it before: which settings are whose does not change.
#[inline]
pub fn assignments_counted() -> u64 {
    ASSIGNMENTS.load(Relaxed)
}

pub fn assigned() {
    ASSIGNMENTS.fetch_add(1, Relaxed);
}

/// Counts the assignments of the restrictions that are no keys.
static RESTRICTIONS: AtomicU64 = AtomicU64::new(1);

pub fn restrictions() -> u64 {
    RESTRICTIONS.load(Relaxed)
}

pub fn restricted() {
    RESTRICTIONS.fetch_add(1, Relaxed);
    assigned();
}
