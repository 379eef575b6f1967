//! The minor versions of PostgreSQL that have the fixes that matter where end users send SQL. Plain Rust.
//!
//! | fixed in | what |
//! |---|---|
//! | 15.18, 16.14, 17.10, 18.4 | CVE-2026-6473: any role can write past the end of allocated memory |
//! | 15.14, 16.10, 17.6 | CVE-2025-8713: statistics reveal rows that policies hide |
//! | 15.10, 16.6, 17.2 | CVE-2024-10978 and a regression of its first fix: SET ROLE has no lasting effect |
//! | 15.9, 16.5, 17.1 | CVE-2024-10976: plans are reused under another role's policies |

/// The oldest `server_version_num` of the same major that has all fixes; None for a newer major, which has them all.
pub fn oldest_fixed(version: i32) -> Option<i32> {
    match version / 10_000 {
        ..=15 => Some(150_018),
        16 => Some(160_014),
        17 => Some(170_010),
        18 => Some(180_004),
        _ => None,
    }
}
