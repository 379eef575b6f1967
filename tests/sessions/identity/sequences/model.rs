//! The expected answers of a session, as short as possible: settings that follow transactions, and the rules of who may
//! adopt which identity. The model has no generations, caches or blocks. Values of settings are indices in the lists of
//! [`site`].

mod present;
mod setting;
mod transaction;
mod verify;

use testkit::messages;

use super::site::{PROVIDERS, Providers, Time, Token};
use super::step::{Step, Way};
use setting::Setting;

/// A text, or an error.
pub type Answer = Result<String, Rejected>;

/// An error: its SQLSTATE, and how its message begins.
#[derive(Debug, Clone, Copy)]
pub struct Rejected(pub &'static str, pub &'static str);

impl std::fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.0, self.1)
    }
}

/// The settings that are modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Jwt,
    Providers,
    Claims,
    Fallback,
    Leeway,
    Role,
    Scope,
}

type Settings = [Setting; 7];

struct Transaction {
    before: Settings,
    savepoints: Vec<(usize, Settings)>,
    failed: bool,
}

pub struct Model {
    /// Whether the login is a superuser's, and whether its startup packet had a key.
    superuser: bool,
    has_jwk: bool,
    /// The first is no token; the second, if there is a token in the startup packet, is that.
    pub tokens: Vec<Token>,
    defaults: [usize; 7],
    settings: Settings,
    transaction: Option<Transaction>,
    /// The greatest `jti` of the tokens adopted so far.
    pub last_jti: Option<i64>,
    /// Whether there were providers, and then none.
    lost_providers: bool,
}

impl Model {
    pub fn new(superuser: bool, has_jwk: bool, providers: usize) -> Model {
        let no_token = Token {
            key: None,
            time: Time::Always,
            jti: None,
            sub: String::new(),
        };
        Model {
            superuser,
            has_jwk,
            tokens: vec![no_token],
            defaults: [0, providers, 0, 1, 1, 0, 0],
            settings: Settings::default(),
            transaction: None,
            last_jti: None,
            lost_providers: false,
        }
    }

    /// There is a token in the startup packet.
    pub fn starts_with(&mut self, token: Token) {
        self.tokens.push(token);
        self.defaults[Name::Jwt as usize] = 1;
    }

    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    pub fn has_failed(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.failed)
    }

    /// Whether the model knows what a changed file means for the session. PostgreSQL does not pass the file's new value to
    /// a value that SET LOCAL covers after a SET (guc.c skips `masked` values).
    pub fn can_reload(&self) -> bool {
        let covered = |settings: &Settings| settings[Name::Providers as usize].covers_the_file();
        !self.has_failed()
            && !covered(&self.settings)
            && !self.transaction.iter().any(|transaction| {
                covered(&transaction.before) || transaction.savepoints.iter().any(|(_, then)| covered(then))
            })
    }

    fn value(&self, name: Name) -> usize {
        self.settings[name as usize]
            .current
            .unwrap_or(self.defaults[name as usize])
    }

    fn assign(&mut self, name: Name, value: Option<usize>, is_local: bool) {
        self.watch_providers(|model| model.settings[name as usize].assign(value, is_local));
    }

    fn go_back_to(&mut self, settings: Settings) {
        self.watch_providers(|model| model.settings = settings);
    }

    /// What is lost stays so, whatever a transaction or a file gives back.
    fn watch_providers(&mut self, change: impl FnOnce(&mut Model)) {
        let has_none = |model: &Model| matches!(PROVIDERS[model.value(Name::Providers)], Providers::None);
        let had_none = has_none(self);
        change(self);
        self.lost_providers |= !had_none && has_none(self);
    }

    /// As a statement sets it: some settings are a superuser's, and a value must be usable.
    fn set(&mut self, name: Name, value: Option<usize>, is_local: bool) -> Result<(), Rejected> {
        let restricted = matches!(name, Name::Providers | Name::Fallback | Name::Leeway | Name::Scope);
        if restricted && !(self.superuser && self.value(Name::Role) == 0) {
            return Err(Rejected("42501", "permission denied to set parameter"));
        }
        if let (Name::Providers, Some(value)) = (name, value)
            && matches!(PROVIDERS[value], Providers::Unusable)
        {
            return Err(Rejected("22023", messages::PROVIDERS_NOT_USABLE));
        }
        self.assign(name, value, is_local);
        Ok(())
    }

    /// What the session does next, and its answer.
    pub fn apply(&mut self, step: &Step) -> Answer {
        match *step {
            Step::Begin => self.begin(),
            Step::Commit { chain } => self.end(chain, true),
            Step::Rollback { chain } => self.end(chain, false),
            Step::RollbackTo(name) => self.rollback_to(name),
            Step::Reload(providers) => {
                self.watch_providers(|model| model.defaults[Name::Providers as usize] = providers);
                done()
            }
            Step::Committed { token, is_local } if !self.in_transaction() => {
                self.statement(|model| model.present(token, is_local).and_then(|()| done()))?;
                Err(DIVISION)
            }
            _ => self.statement(|model| model.execute(step)),
        }
    }

    /// Runs a statement. A failed statement changes nothing; outside a block each statement is a transaction.
    fn statement(&mut self, body: impl FnOnce(&mut Model) -> Answer) -> Answer {
        if self.has_failed() {
            return Err(ABORTED);
        }
        let before = self.settings;
        let answer = body(self);
        match &mut self.transaction {
            Some(transaction) => transaction.failed = answer.is_err(),
            None if answer.is_err() => self.go_back_to(before),
            None => self.forget_local(),
        }
        answer
    }

    fn forget_local(&mut self) {
        let defaults = self.defaults;
        let session = std::array::from_fn(|name| self.settings[name].without_local(defaults[name]));
        self.go_back_to(session);
    }

    fn execute(&mut self, step: &Step) -> Answer {
        match *step {
            Step::Savepoint(name) => {
                let then = self.settings;
                let transaction = self.transaction.as_mut().ok_or(Rejected("25P01", ""))?;
                transaction.savepoints.push((name, then));
                done()
            }
            Step::Release(name) => {
                let transaction = self.transaction.as_mut().ok_or(Rejected("25P01", ""))?;
                let place = transaction.savepoints.iter().rposition(|(of, _)| *of == name);
                transaction.savepoints.truncate(place.ok_or(Rejected("3B001", ""))?);
                done()
            }
            Step::Present { token, way } => {
                match way {
                    Way::Set | Way::SetConfig => self.set_token(token, false)?,
                    _ => self.present(token, way.is_local())?,
                }
                if way.probes() { Ok(self.probe()) } else { done() }
            }
            Step::Assign { name, value, is_local } => {
                self.set(name, value, is_local)?;
                done()
            }
            Step::ResetAll => {
                self.reset_all();
                done()
            }
            Step::DiscardAll if self.in_transaction() => Err(Rejected("25001", "")),
            Step::DiscardAll => {
                self.reset_all();
                self.assign(Name::Role, None, false);
                done()
            }
            Step::Fail => Err(DIVISION),
            Step::Read => self.user_id(),
            Step::Swallowed { token, is_local } => match self.present(token, is_local) {
                Ok(()) => Ok(self.probe()),
                Err(rejected) => Ok(rejected.to_string()),
            },
            Step::Undone { token, is_local } => {
                let before = self.settings;
                let _ = self.present(token, is_local);
                self.go_back_to(before);
                Ok(self.probe())
            }
            Step::Inside { token, is_local } => {
                let before = self.covered(Name::Jwt, 0);
                self.present(token, is_local)?;
                let answer = self.probe();
                // A plain SET in a function outlives it, a local one ends with the function's own SET.
                if is_local {
                    self.settings[Name::Jwt as usize] = before;
                }
                Ok(answer)
            }
            Step::Committed { token, is_local } => {
                self.present(token, is_local)?;
                Err(Rejected("2D000", ""))
            }
            Step::Around { name, value } => {
                let before = self.probe();
                self.set(name, Some(value), true)?;
                Ok(format!("{before}; {}", self.probe()))
            }
            Step::AsAnonymous => self.probe_with(Name::Role, 2),
            Step::WithClaims => self.probe_with(Name::Claims, 1),
            Step::Begin | Step::Commit { .. } | Step::Rollback { .. } | Step::RollbackTo(_) | Step::Reload(_) => {
                unreachable!("these are no statements that fail with their transaction")
            }
        }
    }

    /// Covers a value, as the SET clause of a function does, and gives back what was there.
    fn covered(&mut self, name: Name, value: usize) -> Setting {
        let before = self.settings[name as usize];
        self.assign(name, Some(value), true);
        before
    }

    fn probe_with(&mut self, name: Name, value: usize) -> Answer {
        let before = self.covered(name, value);
        let answer = self.probe();
        self.settings[name as usize] = before;
        Ok(answer)
    }

    /// What is a superuser's stays. PostgreSQL passes over what has its default now, whatever a SET LOCAL covers (guc.c,
    /// ResetAllOptions).
    fn reset_all(&mut self) {
        for name in [Name::Jwt, Name::Claims] {
            if self.settings[name as usize].current.is_some() {
                self.assign(name, None, false);
            }
        }
    }
}

pub const ABORTED: Rejected = Rejected("25P02", "");
const DIVISION: Rejected = Rejected("22012", "");

fn done() -> Answer {
    Ok(String::new())
}
