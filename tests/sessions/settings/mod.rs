//! The settings of the extension: who sets them, when they count, and when they are lost.

mod database_copies;
mod key_kinds;
mod late_load;
mod leeway;
mod server_key;
mod shadowed;
mod startup;
mod stored;
mod stored_changes;
mod trust;
