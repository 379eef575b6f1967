//! Where a valid token was verified.

/// Where a valid token was verified.
#[derive(Clone, Copy)]
pub enum Origin {
    /// Here and now: its signature was checked.
    New,
    /// Before, by this process.
    RepeatedHere,
    /// Before, by another process of the server.
    RepeatedElsewhere,
}

impl Origin {
    /// All origins, in the order of their counters.
    pub const ALL: [Origin; 3] = [Origin::New, Origin::RepeatedHere, Origin::RepeatedElsewhere];

    /// The origin, for a line of the log.
    pub fn text(self) -> &'static str {
        match self {
            Origin::New => "verified by its signature",
            Origin::RepeatedHere => "verified before by this process",
            Origin::RepeatedElsewhere => "verified before by another process",
        }
    }

    /// The origin in `auth.stats()`.
    pub fn name(self) -> &'static str {
        match self {
            Origin::New => "new",
            Origin::RepeatedHere => "repeated_here",
            Origin::RepeatedElsewhere => "repeated_elsewhere",
        }
    }
}
