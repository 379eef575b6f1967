//! The pages of the documentation: their blocks are run.

mod check;
mod findings;
mod identity_null;
mod operations;
mod policies;
mod pooling;
mod postgrest;
mod readme;
mod scaling_out;
mod supabase;
mod testing_policies;
mod upgrading;
