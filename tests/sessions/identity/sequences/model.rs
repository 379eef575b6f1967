//! What a session must answer, in as few words as possible: settings that follow transactions, and the rules of who may
//! be whom. It knows nothing of generations, caches or blocks; values of settings are places in the lists of [`site`].

mod judge;

use testkit::messages;

use super::site::{PROVIDERS, Providers, Time, Token};
use super::step::Step;

/// A text, or an error.
pub type Answer = Result<String, Refused>;

/// An error: its SQLSTATE, and how its message begins.
#[derive(Debug, Clone, Copy)]
pub struct Refused(pub &'static str, pub &'static str);

impl std::fmt::Display for Refused {
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
}

/// What was said last for the session, and what holds now; None: nothing, so that the default holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Setting {
    session: Option<usize>,
    current: Option<usize>,
    here: Here,
}

/// What this transaction has said of a setting (guc.c, `GucStackState`): a SET LOCAL after a SET covers that SET's value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Here {
    #[default]
    NothingForTheSession,
    Set,
    SetThenLocal,
}

impl Setting {
    fn assign(&mut self, value: Option<usize>, is_local: bool) {
        self.current = value;
        self.here = match (is_local, self.here) {
            (false, _) => Here::Set,
            (true, Here::NothingForTheSession) => Here::NothingForTheSession,
            (true, Here::Set | Here::SetThenLocal) => Here::SetThenLocal,
        };
        if !is_local {
            self.session = value;
        }
    }

    /// At the end of the transaction. A default that was set and then covered comes back as a value that was said for the
    /// session (guc.c, AtEOXact_GUC: `masked` becomes PGC_S_SESSION), which a new value in the file no longer changes.
    fn without_local(self, default: usize) -> Setting {
        let session = match self.here {
            Here::SetThenLocal => self.session.or(Some(default)),
            Here::NothingForTheSession | Here::Set => self.session,
        };
        Setting {
            session,
            current: session,
            here: Here::default(),
        }
    }

    /// Whether a value that is nobody's but the file's waits below a SET LOCAL.
    fn covers_the_file(&self) -> bool {
        self.session.is_none() && (self.current.is_some() || self.here == Here::SetThenLocal)
    }
}

type Settings = [Setting; 6];

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
    defaults: [usize; 6],
    settings: Settings,
    transaction: Option<Transaction>,
    /// The greatest `jti` that was ever taken on.
    pub last_jti: Option<i64>,
    /// Whether there were providers, and then none.
    lost_providers: bool,
}

impl Model {
    pub fn new(superuser: bool, has_jwk: bool, providers: usize) -> Model {
        let nobody = Token {
            key: None,
            time: Time::Always,
            jti: None,
            sub: String::new(),
        };
        Model {
            superuser,
            has_jwk,
            tokens: vec![nobody],
            defaults: [0, providers, 0, 1, 1, 0],
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

    /// PostgreSQL does not give a new value of a file to a value that SET LOCAL covers where something was said for the
    /// session before it (guc.c: `masked` values are passed over), so then the file is left alone.
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

    fn present(&mut self, token: usize, is_local: bool) -> Result<(), Refused> {
        // A token of the startup packet that nobody has used yet came before this one.
        let _ = self.user_id();
        let presented = self.tokens[token].clone();
        self.judge(&presented, self.last_jti)?;
        self.last_jti = self.last_jti.max(presented.jti);
        self.assign(Name::Jwt, Some(token), is_local);
        Ok(())
    }

    /// As a statement sets it: some settings are a superuser's, and a value must be usable.
    fn set(&mut self, name: Name, value: Option<usize>, is_local: bool) -> Result<(), Refused> {
        let restricted = matches!(name, Name::Providers | Name::Fallback | Name::Leeway);
        if restricted && !(self.superuser && self.value(Name::Role) == 0) {
            return Err(Refused("42501", "permission denied to set parameter"));
        }
        if let (Name::Providers, Some(value)) = (name, value)
            && matches!(PROVIDERS[value], Providers::Unusable)
        {
            return Err(Refused("22023", messages::PROVIDERS_NOT_USABLE));
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

    /// A statement that fails leaves nothing behind; outside a block it is a transaction of its own.
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
                let transaction = self.transaction.as_mut().ok_or(Refused("25P01", ""))?;
                transaction.savepoints.push((name, then));
                done()
            }
            Step::Release(name) => {
                let transaction = self.transaction.as_mut().ok_or(Refused("25P01", ""))?;
                let place = transaction.savepoints.iter().rposition(|(of, _)| *of == name);
                transaction.savepoints.truncate(place.ok_or(Refused("3B001", ""))?);
                done()
            }
            Step::Present { token, way } => {
                self.present(token, way.is_local())?;
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
            Step::DiscardAll if self.in_transaction() => Err(Refused("25001", "")),
            Step::DiscardAll => {
                self.reset_all();
                self.assign(Name::Role, None, false);
                done()
            }
            Step::Fail => Err(DIVISION),
            Step::Read => self.user_id(),
            Step::Swallowed { token, is_local } => match self.present(token, is_local) {
                Ok(()) => Ok(self.probe()),
                Err(refused) => Ok(refused.to_string()),
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
                Err(Refused("2D000", ""))
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

    fn begin(&mut self) -> Answer {
        if self.has_failed() {
            return Err(ABORTED);
        }
        let before = self.settings;
        self.transaction.get_or_insert(Transaction {
            before,
            savepoints: Vec::new(),
            failed: false,
        });
        done()
    }

    fn end(&mut self, chain: bool, commit: bool) -> Answer {
        match self.transaction.take() {
            None if chain => return Err(Refused("25P01", "")),
            None => return done(),
            Some(transaction) if commit && !transaction.failed => self.forget_local(),
            Some(transaction) => self.go_back_to(transaction.before),
        }
        if chain { self.begin() } else { done() }
    }

    fn rollback_to(&mut self, name: usize) -> Answer {
        let transaction = self.transaction.as_mut().ok_or(Refused("25P01", ""))?;
        let Some(place) = transaction.savepoints.iter().rposition(|(of, _)| *of == name) else {
            transaction.failed = true;
            return Err(Refused("3B001", ""));
        };
        transaction.savepoints.truncate(place + 1);
        transaction.failed = false;
        let then = transaction.savepoints[place].1;
        self.go_back_to(then);
        done()
    }
}

pub const ABORTED: Refused = Refused("25P02", "");
const DIVISION: Refused = Refused("22012", "");

fn done() -> Answer {
    Ok(String::new())
}
