//! Fetched key sets, passed from the worker to the sessions.
//!
//! | module | what it owns |
//! |---|---|
//! | [`shared_table`], [`entry`] | messages between sessions and the worker, in shared memory |
//! | [`store`] | the fetched sets, on disk: too large for shared memory, and still there after a restart |
//! | [`regular_file`] | opening a file, also `jwks_file` and `ca_file`, and nothing else at its path |

#![forbid(unsafe_code)]

pub mod entry;
pub mod regular_file;
pub mod shared_table;
pub mod store;
