//! The time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, from this machine's clock, which is the server's too.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}
