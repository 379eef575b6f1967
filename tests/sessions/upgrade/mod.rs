//! Old versions: updates, dumps, pg_upgrade, and deployments of version 0.5.0.

mod dump;
mod existing_clients;
mod existing_deployments;
mod library_only;
mod major;
mod major_from_older;
mod rejected;
mod restore;
mod update;
