//! PgBouncer in its modes, and the resets of poolers and drivers.

mod leaks;
mod patterns;
mod proxy_load;
mod resets;
mod statement_mode;
