//! The settings of the extension: who sets them, when they count, and when they are lost.

pub mod database_copies;
pub mod key_kinds;
pub mod late_load;
pub mod server_key;
pub mod shadowed;
pub mod startup;
pub mod stored;
pub mod stored_changes;
pub mod trust;
