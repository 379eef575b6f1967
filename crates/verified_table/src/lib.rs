//! The table of verified tokens that all sessions of a server share.
//!
//! Plain Rust over a slice of atomic words: no PostgreSQL, no unsafe code, and no allocation in the table. It cannot panic,
//! because a process that fails while it writes would leave a slot that is lost until another process notices.
//!
//! ```text
//! the table:  the sets of each class, the data of each class
//! a set:      8 tags | the hand | 7 unused words | 8 headers of 6 words
//! a header:   the state | the key, 4 words | the provider and the length
//! the data:   one slot for each header, as large as its class
//! ```
//!
//! A key belongs to one set of each class. An entry is in the class of its size.

#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects
)]

mod key;
mod layout;
mod set;
mod slot;
mod state;
mod table;
mod writer;

pub use key::{Basis, Digest, Key, Sources, digest};
pub use layout::MAX_IDENTITY_BYTES;
pub use slot::Entry;
pub use table::Table;
pub use writer::Writer;
