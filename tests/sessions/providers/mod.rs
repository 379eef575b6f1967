//! Identity providers whose keys are in the setting itself or in files, and the report about them.

mod client_keys;
mod key_files;
mod key_files_changing;
mod lost;
mod lost_at_load;
mod malformed;
mod report;
mod report_privileges;
mod shapes;
mod tokens;
