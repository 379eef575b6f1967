//! Identity providers whose keys are in the setting itself or in files, and the report about them.

pub mod key_files;
pub mod key_files_changing;
pub mod lost;
pub mod malformed;
pub mod report;
pub mod report_privileges;
pub mod shapes;
pub mod tokens;
