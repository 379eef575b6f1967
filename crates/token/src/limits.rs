//! The limits of the texts that the crate reads. An error that reports one names it, so it is defined below the errors.

/// Bytes of a whole token. Providers stay below 16 KiB, the most that common HTTP servers accept as one header.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// Seconds of leeway (RFC 7519 §4.1.4: "usually no more than a few minutes").
pub const MAX_LEEWAY: u32 = 300;

/// Bytes of the text of a key or key set; the largest sets seen (with certificate chains) have about 20 KiB.
pub const MAX_KEY_SET_BYTES: usize = 256 * 1024;
