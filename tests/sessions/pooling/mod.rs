//! PgBouncer in its modes, and the resets of poolers and drivers.

pub mod leaks;
pub mod patterns;
pub mod proxy_load;
pub mod resets;
pub mod statement_mode;
