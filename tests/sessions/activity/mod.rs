//! `auth.activity()`: which user each connection has.

mod changes;
mod encodings;
mod lengths;
mod loading;
mod many;
mod modes;
mod privileges;
mod processes;
mod support;
mod torn;
