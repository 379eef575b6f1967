//! One setting, as it follows transactions.

/// The value for the session and the current value. None: the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Setting {
    session: Option<usize>,
    pub current: Option<usize>,
    here: Here,
    is_local: bool,
}

/// The changes of this transaction (guc.c, `GucStackState`): a SET LOCAL after a SET covers that SET's value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Here {
    #[default]
    NothingForTheSession,
    Set,
    SetThenLocal,
}

impl Setting {
    pub fn assign(&mut self, value: Option<usize>, is_local: bool) {
        self.current = value;
        self.is_local = is_local;
        self.here = match (is_local, self.here) {
            (false, _) => Here::Set,
            (true, Here::NothingForTheSession) => Here::NothingForTheSession,
            (true, Here::Set | Here::SetThenLocal) => Here::SetThenLocal,
        };
        if !is_local {
            self.session = value;
        }
    }

    /// The setting at the end of the transaction. A default that was set and then covered returns as a value for the session
    /// (guc.c, AtEOXact_GUC: `masked` becomes PGC_S_SESSION), which a new value in the file no longer changes.
    pub fn without_local(self, default: usize) -> Setting {
        let session = match self.here {
            Here::SetThenLocal => self.session.or(Some(default)),
            Here::NothingForTheSession | Here::Set => self.session,
        };
        Setting {
            session,
            current: session,
            here: Here::default(),
            is_local: false,
        }
    }

    /// Whether it has a value that ends with the transaction, and is not the default.
    pub fn is_own_local(&self) -> bool {
        self.is_local && self.current.is_some()
    }

    /// Whether a SET LOCAL covers a value of the file.
    pub fn covers_the_file(&self) -> bool {
        self.session.is_none() && (self.current.is_some() || self.here == Here::SetThenLocal)
    }
}
