//! The steps of a sequence, and their SQL.

use super::model::Name;
use super::site::{APPLICATION, CLAIMS, FALLBACK, Keys, LEEWAY, ROLES, SCOPE};

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

pub const WAYS: [Way; 10] = [
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
];

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

/// A token and a value are indices; a savepoint is a number.
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
}

fn setting(name: Name) -> &'static str {
    match name {
        Name::Jwt => "pg_session_jwt.jwt",
        Name::Providers => "pg_session_jwt.providers",
        Name::Claims => "request.jwt.claims",
        Name::Fallback => "pg_session_jwt.claims_fallback",
        Name::Leeway => "pg_session_jwt.leeway",
        Name::Role => "role",
        Name::Scope => "pg_session_jwt.identity_scope",
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
        Name::Scope => SCOPE[value].to_owned(),
    }
}

/// The name of the login.
pub fn login(superuser: bool) -> &'static str {
    if superuser { "postgres" } else { APPLICATION }
}
