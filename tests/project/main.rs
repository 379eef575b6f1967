//! What holds for the project as a whole, read from its sources and pages: no PostgreSQL is needed.

mod attacks;
mod dependencies;
mod development;
mod errors;
mod own_memory;
mod prose;
mod rooms;
