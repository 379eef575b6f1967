//! The steps of a sequence, their SQL, and how the next one is chosen.

use super::model::{Model, Name};
use super::random::Random;
use super::site::{APPLICATION, CLAIMS, FALLBACK, Key, Keys, LEEWAY, PROVIDERS, ROLES, Time, Token};

/// A way to present a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Init,
    InitLocal,
    InitForSession,
    Set,
    SetLocal,
    SetConfig,
    SetConfigLocal,
    Definer,
    DefinerLocal,
    /// In one message with a read, which outside a block makes them one transaction.
    LocalAndRead,
}

impl Way {
    pub fn is_local(self) -> bool {
        use Way::{DefinerLocal, InitLocal, LocalAndRead, SetConfigLocal, SetLocal};
        matches!(
            self,
            InitLocal | SetLocal | SetConfigLocal | DefinerLocal | LocalAndRead
        )
    }

    /// Whether its answer is that of `probe()`.
    pub fn probes(self) -> bool {
        matches!(self, Way::Definer | Way::DefinerLocal | Way::LocalAndRead)
    }
}

/// A token and a value are their places in a list; a savepoint is a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Begin,
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint(usize),
    Release(usize),
    RollbackTo(usize),
    Present {
        token: usize,
        way: Way,
    },
    /// None: its default.
    Assign {
        name: Name,
        value: Option<usize>,
        is_local: bool,
    },
    ResetAll,
    DiscardAll,
    Fail,
    Read,
    /// Functions of [`super::site::FUNCTIONS`].
    Swallowed {
        token: usize,
        is_local: bool,
    },
    Undone {
        token: usize,
        is_local: bool,
    },
    Inside {
        token: usize,
        is_local: bool,
    },
    Committed {
        token: usize,
        is_local: bool,
    },
    /// A local assignment between two reads of one statement.
    Around {
        name: Name,
        value: usize,
    },
    AsAnonymous,
    WithClaims,
    /// The server's file has other providers.
    Reload(usize),
}

/// The settings, with the number of their values; the role is where most depends on.
const SETTINGS: [(Name, usize); 7] = [
    (Name::Jwt, 1),
    (Name::Providers, PROVIDERS.len()),
    (Name::Claims, CLAIMS.len()),
    (Name::Fallback, FALLBACK.len()),
    (Name::Leeway, LEEWAY.len()),
    (Name::Role, ROLES.len()),
    (Name::Role, ROLES.len()),
];

impl Step {
    /// What the session sends; `texts` are the tokens.
    pub fn sql(&self, keys: &Keys, texts: &[String]) -> String {
        let chained = |chain: bool| if chain { " and chain" } else { "" };
        match *self {
            Step::Begin => "begin".to_owned(),
            Step::Commit { chain } => format!("commit{}", chained(chain)),
            Step::Rollback { chain } => format!("rollback{}", chained(chain)),
            Step::Savepoint(name) => format!("savepoint s{name}"),
            Step::Release(name) => format!("release s{name}"),
            Step::RollbackTo(name) => format!("rollback to s{name}"),
            Step::Present { token, way } => {
                let token = &texts[token];
                match way {
                    Way::Init => format!("select auth.jwt_session_init('{token}')::text"),
                    Way::InitLocal => format!("select auth.jwt_session_init('{token}', true)::text"),
                    Way::InitForSession => format!("select auth.jwt_session_init('{token}', false)::text"),
                    Way::Set => format!("set pg_session_jwt.jwt = '{token}'"),
                    Way::SetLocal => format!("set local pg_session_jwt.jwt to '{token}'"),
                    Way::SetConfig => {
                        format!("do $$ begin perform set_config('pg_session_jwt.jwt', '{token}', false); end $$")
                    }
                    Way::SetConfigLocal => {
                        format!("do $$ begin perform set_config('pg_session_jwt.jwt', '{token}', true); end $$")
                    }
                    Way::Definer => format!("select by_definer('{token}', false)"),
                    Way::DefinerLocal => format!("select by_definer('{token}', true)"),
                    Way::LocalAndRead => format!("select auth.jwt_session_init('{token}', true); select probe()"),
                }
            }
            Step::Assign { name, value, is_local } => {
                let local = if is_local { "local " } else { "" };
                match (name, value) {
                    (Name::Role, None) if !is_local => "reset role".to_owned(),
                    (Name::Role, value) => format!("set {local}role {}", ROLES[value.unwrap_or(0)]),
                    (name, None) => format!("set {local}{} to default", setting(name)),
                    (name, Some(value)) => format!("set {local}{} = '{}'", setting(name), text(name, value, keys)),
                }
            }
            Step::ResetAll => "reset all".to_owned(),
            Step::DiscardAll => "discard all".to_owned(),
            Step::Fail => "select 1 / 0".to_owned(),
            Step::Read => "select coalesce(auth.user_id(), 'NULL')".to_owned(),
            Step::Swallowed { token, is_local } => format!("select swallowed('{}', {is_local})", texts[token]),
            Step::Undone { token, is_local } => format!("select undone('{}', {is_local})", texts[token]),
            Step::Inside { token, is_local } => format!("select inside('{}', {is_local})", texts[token]),
            Step::Committed { token, is_local } => format!("call committed('{}', {is_local})", texts[token]),
            Step::Around { name, value } => {
                format!("select around('{}', '{}')", setting(name), text(name, value, keys))
            }
            Step::AsAnonymous => "select as_anonymous()".to_owned(),
            Step::WithClaims => "select with_claims()".to_owned(),
            Step::Reload(_) => unreachable!("not a statement of this session"),
        }
    }

    /// The next step; a token that it presents may be a new one of the model's.
    pub fn choose(random: &mut Random, model: &mut Model) -> Step {
        if model.has_failed() && !random.once_in(4) {
            return match random.below(4) {
                0 => Step::Rollback {
                    chain: random.once_in(8),
                },
                1 => Step::Commit {
                    chain: random.once_in(8),
                },
                _ => Step::RollbackTo(random.below(3)),
            };
        }
        let is_local = random.once_in(2);
        match random.below(100) {
            0..10 => Step::Begin,
            10..14 => Step::Commit {
                chain: random.once_in(8),
            },
            14..17 => Step::Rollback {
                chain: random.once_in(8),
            },
            17..25 => Step::Savepoint(random.below(3)),
            25..28 => Step::Release(random.below(3)),
            28..32 => Step::RollbackTo(random.below(3)),
            32..54 => Step::Present {
                way: random.pick(&[
                    Way::Init,
                    Way::InitLocal,
                    Way::InitForSession,
                    Way::Set,
                    Way::SetLocal,
                    Way::SetConfig,
                    Way::SetConfigLocal,
                    Way::Definer,
                    Way::DefinerLocal,
                    Way::LocalAndRead,
                ]),
                token: token(random, model),
            },
            54..72 => {
                let (name, values) = random.pick(&SETTINGS);
                let value = (!random.once_in(4)).then(|| random.below(values));
                Step::Assign { name, value, is_local }
            }
            72..74 => Step::ResetAll,
            74..75 => Step::DiscardAll,
            75..77 => Step::Fail,
            77..78 => Step::Read,
            78..85 => {
                let (name, values) = random.pick(&SETTINGS);
                Step::Around {
                    name,
                    value: random.below(values),
                }
            }
            85..88 => Step::Swallowed {
                token: token(random, model),
                is_local,
            },
            88..90 => Step::Undone {
                token: token(random, model),
                is_local,
            },
            90..93 => Step::Inside {
                token: token(random, model),
                is_local,
            },
            93..95 => Step::Committed {
                token: token(random, model),
                is_local,
            },
            95..97 => Step::AsAnonymous,
            97..98 => Step::WithClaims,
            _ if model.can_reload() => Step::Reload(random.below(PROVIDERS.len())),
            _ => Step::Read,
        }
    }
}

fn setting(name: Name) -> &'static str {
    match name {
        Name::Jwt => "pg_session_jwt.jwt",
        Name::Providers => "pg_session_jwt.providers",
        Name::Claims => "request.jwt.claims",
        Name::Fallback => "pg_session_jwt.claims_fallback",
        Name::Leeway => "pg_session_jwt.leeway",
        Name::Role => "role",
    }
}

fn text(name: Name, value: usize, keys: &Keys) -> String {
    match name {
        Name::Jwt => String::new(),
        Name::Providers => keys.providers(value),
        Name::Claims => CLAIMS[value].to_owned(),
        Name::Fallback => FALLBACK[value].to_owned(),
        Name::Leeway => LEEWAY[value].to_owned(),
        Name::Role => ROLES[value].to_owned(),
    }
}

/// One that was made before, or a new one.
fn token(random: &mut Random, model: &mut Model) -> usize {
    if model.tokens.len() > 1 && random.once_in(3) {
        return 1 + random.below(model.tokens.len() - 1);
    }
    let sub = format!("user{}", model.tokens.len());
    let token = new_token(random, &model.trusted_keys(), model.last_jti, sub);
    model.tokens.push(token);
    model.tokens.len() - 1
}

/// More than half are of a key that is trusted now, if there is one, and in time.
pub fn new_token(random: &mut Random, trusted: &[Key], last_jti: Option<i64>, sub: String) -> Token {
    let any = [Key::A, Key::OtherA, Key::B, Key::Proxy, Key::Foreign];
    let from = if trusted.is_empty() || random.once_in(3) {
        &any
    } else {
        trusted
    };
    let key = random.pick(from);
    let time = match random.below(12) {
        0 => Time::JustPast,
        1 => Time::JustAhead,
        2 => Time::Past,
        3 => Time::Ahead,
        4..7 => Time::Always,
        _ => Time::Now,
    };
    let last = last_jti.unwrap_or(0);
    let jti = match (key.issuer(), random.below(8)) {
        (Some(_), 0) => Some(last + 5),
        (Some(_), _) | (None, 0) => None,
        (None, 1) => Some(last),
        (None, 2) => Some(last - 3),
        (None, _) => Some(last + 1),
    };
    Token {
        key: (!random.once_in(20)).then_some(key),
        time,
        jti,
        sub,
    }
}

/// The name of the login.
pub fn login(superuser: bool) -> &'static str {
    if superuser { "postgres" } else { APPLICATION }
}
