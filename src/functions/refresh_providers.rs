//! `auth.refresh_providers()`: fetches the key sets of all providers now.

#![forbid(unsafe_code)]

#[pgrx::pg_schema]
mod auth {
    use pgrx::prelude::*;

    use crate::keys::refresh;

    /// Fetches the key sets of all providers now; true if all were received.
    #[pg_extern(volatile, parallel_unsafe)]
    fn refresh_providers() -> bool {
        refresh::refresh_all()
    }
}
