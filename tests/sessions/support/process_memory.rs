//! The memory of a backend.

use std::fs;

/// The private memory of a backend in KiB (proc(5), status), without shared buffers.
pub fn own_memory(pid: i32) -> i64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let anonymous = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    anonymous.trim().trim_end_matches(" kB").parse().unwrap()
}
