//! The pages of the documentation: their blocks are run.

mod identity_null;
mod operations;
mod pooling;
mod readme;
mod supabase;
mod testing_policies;
mod upgrading;
