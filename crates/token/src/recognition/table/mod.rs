//! The table of providers. The function `auth.provider_settings` and the tables in docs/providers/README.md are made of it.
//!
//! The facts are those of the pages in docs/providers, which name their sources. A comment names any other source.

mod by_path;
mod clouds;
mod services;

pub use by_path::{ISSUER, KEY_SET, OTHER};

use crate::recognition::known::Known;

/// All providers but those that are not known. A host decides before a path.
pub fn providers() -> impl Iterator<Item = &'static Known> {
    services::SERVICES
        .iter()
        .chain(&clouds::CLOUDS)
        .chain(&by_path::SERVERS)
}
