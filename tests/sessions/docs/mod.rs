//! The pages of the documentation: their blocks are run.

pub mod identity_null;
pub mod operations;
pub mod pooling;
pub mod readme;
pub mod supabase;
pub mod testing_policies;
pub mod upgrading;
