//! The table of a policy, as far as its policies depend on it.

use std::collections::HashMap;

use pgrx::pg_sys::Oid;

/// What a table that a policy reads has to do with the table of the policy.
pub struct Link {
    /// Its columns that tell which rows of the policy's table belong to it.
    pub columns: Vec<i16>,
    /// Whether end users can insert rows into it.
    pub may_insert: bool,
}

/// The links, by the policy's table and the other one.
pub type Links = HashMap<(Oid, Oid), Link>;

/// The table of a policy.
#[derive(Clone, Copy)]
pub struct Table<'t> {
    pub oid: Oid,
    /// The columns that are never NULL.
    pub not_null: &'t [i16],
    pub links: &'t Links,
}
