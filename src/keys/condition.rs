//! What an administrator is told of the keys of a provider.

use crate::token::Error;
use crate::token::NumericDate;
use crate::token::key_problem::Member;

/// What an administrator wants to know of the keys of a provider.
pub struct Condition {
    pub members: Vec<Member>,
    /// When they last came, and will be fetched next.
    pub fetched_at: Option<NumericDate>,
    pub next_at: Option<NumericDate>,
    /// Why they could not be had when this was last tried.
    pub error: Option<String>,
}

/// Why there are no keys, for an administrator, and the members of the set where it could be read.
pub struct Unusable {
    pub reason: String,
    pub members: Vec<Member>,
}

impl Unusable {
    pub fn new(reason: &str) -> Self {
        Unusable {
            reason: reason.to_owned(),
            members: Vec::new(),
        }
    }
}

impl From<Error> for Unusable {
    fn from(error: Error) -> Self {
        Unusable {
            reason: error.line(),
            members: match error {
                Error::NoUsableKey { members } => members,
                _ => Vec::new(),
            },
        }
    }
}
