//! The condition of a provider's keys, for an administrator.

use crate::token::Error;
use crate::token::NumericDate;
use crate::token::key_problem::Member;

/// The condition of a provider's keys.
pub struct Condition {
    pub members: Vec<Member>,
    /// The URL of the keys, where a discovery has found it.
    pub discovered_url: Option<String>,
    /// When the keys were last received, and when they will be fetched next.
    pub fetched_at: Option<NumericDate>,
    pub next_at: Option<NumericDate>,
    /// Why the last attempt to obtain the keys failed.
    pub error: Option<String>,
}

/// The reason why there are no keys, for an administrator, and the members of the set where it could be read.
pub struct Unusable {
    pub reason: String,
    pub members: Vec<Member>,
}

impl Unusable {
    /// A reason without members.
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
