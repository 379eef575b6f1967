//! `auth.stats()`: each number is exact after known events.

mod accepted;
mod bounds;
mod cache;
mod fetches;
mod loading;
mod many;
mod privileges;
mod processes;
mod rejected;
mod reset;
mod support;
mod transactions;
