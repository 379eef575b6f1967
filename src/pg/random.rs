//! Random numbers for secrets.

use pgrx::pg_sys;

/// 32 random bytes that cannot be predicted; None where the system has none.
pub fn secret() -> Option<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    // SAFETY: writes as many bytes as the array has.
    let is_random = unsafe { pg_sys::pg_strong_random(bytes.as_mut_ptr().cast(), bytes.len()) };
    is_random.then_some(bytes)
}
