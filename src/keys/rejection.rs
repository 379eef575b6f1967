//! A rejected token, and when its keys can be fetched again.

use crate::error::Failure;
use crate::pg::clock;
use crate::token::Error;

/// Why a token is rejected.
pub struct Rejection {
    pub error: Error,
    /// When the next fetch of its keys may be, if it was too soon for one (microseconds since 1970).
    pub next_fetch: Option<i64>,
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Rejection {
            error,
            next_fetch: None,
        }
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        let Rejection { error, next_fetch } = rejection;
        match next_fetch {
            None => Failure::Token(error),
            Some(time) => {
                let micros = time.saturating_sub(clock::now().micros()).max(0);
                Failure::NotRefetched {
                    error,
                    // Rounded up.
                    seconds: micros / 1_000_000 + 1,
                }
            }
        }
    }
}
