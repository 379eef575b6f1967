//! Fetched key sets, between the worker and the sessions.
//!
//! | module | what it owns |
//! |---|---|
//! | [`table`], [`entry`] | what sessions and the worker tell each other, in shared memory |
//! | [`store`] | the fetched sets, on disk: too large for shared memory, and still there after a restart |
//! | [`regular_file`] | opening a file, also `jwks_file` and `ca_file`, whatever is in its place |

pub mod entry;
pub mod regular_file;
pub mod store;
pub mod table;
