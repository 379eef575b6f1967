//! Tests of the table: what is stored and found, its bounds, its eviction, and processes that write at the same time or die.

mod abandoned;
mod bounds;
mod eviction;
mod keys;
mod support;
mod threads;
