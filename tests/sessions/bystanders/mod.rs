//! Applications that do not use the extension, on a server that preloads it: each error of PostgreSQL's is unchanged.

mod answers;
mod cases;
mod errors;
mod interruptions;
mod recovery_conflicts;
mod servers;
