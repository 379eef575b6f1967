//! `CREATE EXTENSION` and `DROP EXTENSION`: objects, roles and privileges.

mod concurrent;
mod create;
mod function_privileges;
mod hostile_owner;
mod privileges;
mod removal;
mod roles;
