//! PostgreSQL's settings (GUC), and what this library needs of guc.c.
//!
//! | module | what it owns |
//! |---|---|
//! | [`names`], [`values`] | the settings |
//! | [`generation`] | numbers that differ when something has changed |
//! | [`extra`] | the block that hangs on a value |
//! | [`applied`] | whether PostgreSQL has applied a value at all |
//! | [`lookup`] | settings by their name |
//! | [`db_role_setting`] | what ALTER DATABASE and ALTER ROLE have stored |
//! | [`remembered`] | what a session remembers of itself, in settings that nobody can set |
//! | [`process`] | session or parallel worker |

pub mod applied;
pub mod db_role_setting;
pub mod extra;
pub mod generation;
pub mod lookup;
pub mod names;
pub mod process;
pub mod remembered;
pub mod values;
