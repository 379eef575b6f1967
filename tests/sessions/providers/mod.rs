//! Identity providers whose keys are in the setting itself or in files, and the report about them.

mod client_keys;
mod examined;
mod key_files;
mod key_files_changing;
mod leeway;
mod lost;
mod lost_at_load;
mod malformed;
mod report;
mod report_privileges;
mod rules;
pub mod shapes;
mod tokens;
