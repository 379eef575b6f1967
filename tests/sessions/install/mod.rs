//! `CREATE EXTENSION` and `DROP EXTENSION`: objects, roles and privileges.

pub mod concurrent;
pub mod create;
pub mod function_privileges;
pub mod hostile_owner;
pub mod privileges;
pub mod removal;
pub mod roles;
