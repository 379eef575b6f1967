//! The warning of `auth.status()` for a role that no policy restricts.

#![forbid(unsafe_code)]

use crate::pg::catalog::{self, Bypass};
use crate::pg::sql_types::{self, Text};

/// Why no policy restricts the current role; None if policies do.
pub fn warning() -> Option<Text> {
    let (bypass, role) = catalog::current_user_bypasses_policies()?;
    let attribute = match bypass {
        Bypass::Superuser => "is a superuser",
        Bypass::Attribute => "has BYPASSRLS",
    };
    let end = format!(" {attribute}: no policy restricts this session");
    sql_types::text(&[b"role ", &role[..], end.as_bytes()].concat()).map(Text)
}
