//! The names in the providers' `roles` that are not the names of roles.

use std::collections::HashSet;

use pgrx::prelude::*;

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::check::nearest::nearest;
use crate::pg::encoding;
use crate::pg::sql_types::TextBytes;
use crate::token::{Excerpt, Provider};

const ROLES: &str = "SELECT rolname::text FROM pg_roles";

/// The names of a provider for which the nearest role is searched.
const MAX_SEARCHES: usize = 100;

/// The names of all roles, in the database's encoding.
pub struct Roles(HashSet<Vec<u8>>);

impl Roles {
    pub fn of(catalog: &Catalog<'_>) -> spi::Result<Self> {
        let mut names = HashSet::new();
        catalog.each(ROLES, |row| {
            names.extend(row.get::<TextBytes>(1)?.map(|name| name.0));
            Ok(())
        })?;
        Ok(Roles(names))
    }

    /// Reports each name of a provider that no role has.
    pub fn inspect(&self, provider: &Provider, object: &str, rows: &mut Vec<FindingRow>) {
        let missing = provider.roles.iter().filter(|name| !self.has(name));
        for (index, name) in missing.enumerate() {
            check_for_interrupts!();
            let meant = if index < MAX_SEARCHES { self.nearest(name) } else { None };
            let remedy = match meant {
                Some(meant) => [b"Write ", meant, b" in \"roles\", if that is meant."].concat(),
                None => b"Correct \"roles\".".to_vec(),
            };
            let problem = format!(
                "\"roles\" has \"{}\", which is not the name of a role: no session can use its tokens as that role.",
                Excerpt::new(name)
            );
            rows.push(FindingRow::new(Finding::ProviderRoleMissing, object, problem, remedy));
        }
    }

    fn has(&self, name: &str) -> bool {
        encoding::to_server(name).is_some_and(|name| self.0.contains(name.as_ref()))
    }

    /// The nearest role. Predefined roles are not for end users.
    fn nearest(&self, name: &str) -> Option<&[u8]> {
        let names = self.0.iter().map(Vec::as_slice);
        nearest(
            encoding::to_server(name)?.as_ref(),
            names.filter(|name| !name.starts_with(b"pg_")),
        )
    }
}
