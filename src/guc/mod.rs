//! PostgreSQL's settings (GUC), and the parts of guc.c that this library needs.
//!
//! | module | what it owns |
//! |---|---|
//! | [`names`], [`values`], [`definitions`] | the settings |
//! | [`hooks`] | check and assign hooks of string settings, without pointers |
//! | [`extra`] | the block that is attached to a value |
//! | [`generation`] | numbers that differ after a change |
//! | [`applied`] | whether PostgreSQL has applied a value at all |
//! | [`lookup`] | settings by their names |
//! | [`db_role_setting`] | the settings that ALTER DATABASE and ALTER ROLE have stored |
//! | [`parse`] | values in PostgreSQL's own syntax |
//! | [`token_setting`] | assignments of the token |
//! | [`remembered`] | facts that a session remembers about itself, in settings that no user can set |
//! | [`process`] | the kind and state of this process |

pub mod applied;
pub mod db_role_setting;
pub mod definitions;
pub mod extra;
pub mod generation;
pub mod hooks;
pub mod lookup;
pub mod names;
pub mod parse;
pub mod process;
pub mod remembered;
pub mod token_setting;
pub mod values;
