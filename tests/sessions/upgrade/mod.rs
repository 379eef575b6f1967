//! Old versions: updates, dumps, pg_upgrade, and deployments of version 0.5.0.

pub mod dump;
pub mod existing_clients;
pub mod existing_deployments;
pub mod library_only;
pub mod major;
pub mod major_from_older;
pub mod rejected;
pub mod restore;
pub mod update;
