//! The steps, and their random parts, drawn before the sessions and databases are known.

use proptest::bool::weighted;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::model::{Name, Packet, Place, STORED};

/// Sessions, databases and user statements are given by their index in the lists.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Settings that the user may set.
    Say {
        session: usize,
        sql: usize,
    },
    Connect {
        database: usize,
        packet: Packet,
    },
    /// Settings that no client may set.
    Attack {
        database: usize,
        packet: Packet,
        way: usize,
    },
    Disconnect {
        session: usize,
    },
    /// A superuser's step: a function in a session, or a change outside all sessions.
    Put {
        session: usize,
        name: Name,
        value: Option<u8>,
        is_local: bool,
    },
    File {
        name: Name,
        value: Option<u8>,
    },
    Store {
        place: Place,
        name: Name,
        value: Option<u8>,
        reload: bool,
    },
    /// A copy of a database, or a restore of its dump, without its stored settings.
    Copy {
        database: usize,
    },
    /// Makes a role more than an end user, and logs in as it.
    Grant {
        given: bool,
    },
    ConnectAsChanging,
}

/// Statements of a user who wants more privileges. None of them may succeed.
pub const SAYINGS: [&str; 36] = [
    "reset all",
    "discard all",
    "set role authenticated",
    "reset role",
    "set session authorization default",
    "reset session authorization",
    "reset pg_session_jwt.jwt",
    "begin; set local pg_session_jwt.jwt = ''; rollback",
    "begin; savepoint s; select set_config('pg_session_jwt.jwt', 'x.y.z', true); rollback",
    "set pg_session_jwt.providers = ''",
    "set local pg_session_jwt.providers = ''",
    "reset pg_session_jwt.providers",
    "select set_config('pg_session_jwt.providers', null, false)",
    r#"set pg_session_jwt.jwk = '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'"#,
    "reset pg_session_jwt.jwk",
    "set pg_session_jwt.claims_fallback = on",
    "reset pg_session_jwt.claims_fallback",
    "set pg_session_jwt.leeway = 300",
    "set pg_session_jwt.bind_login_identity = off",
    "reset pg_session_jwt.bind_login_identity",
    "set pg_session_jwt.client_keys = on",
    "reset pg_session_jwt.client_keys",
    "set pg_session_jwt.lost_providers = ''",
    "select set_config('pg_session_jwt.outdated', '', false)",
    "select set_config('pg_session_jwt.lost_providers', '', false)",
    "select set_config('pg_session_jwt.login_identity', '', false)",
    "load 'pg_session_jwt'",
    "create function pg_temp.f() returns text language sql set pg_session_jwt.providers = '' as 'select auth.user_id()'",
    "alter role current_user set pg_session_jwt.providers = ''",
    "alter role current_user set pg_session_jwt.bind_login_identity = off",
    "alter role current_user reset all",
    "alter system set pg_session_jwt.client_keys = on",
    "do $$ begin perform set_config('pg_session_jwt.providers', '', true); exception when others then null; end $$",
    "update pg_settings set setting = '' where name like 'pg_session_jwt.%'",
    "select pg_reload_conf()",
    "set debug_parallel_query = on; select auth.user_id(); set debug_parallel_query = off",
];

pub const ATTACKS: usize = 7;

/// The maximum number of open sessions.
const SESSIONS: usize = 5;

/// Greater than any number of sessions or databases, and a multiple of them all.
const ANY: usize = 60;

/// A step whose session and database are reduced to existing ones.
#[derive(Debug, Clone)]
pub struct Draw {
    step: Step,
    /// The step if no session is open.
    connect: (usize, Packet),
}

/// Whether a change of a setting removes trust and grants none.
pub fn removes(name: Name, before: u8, after: u8) -> bool {
    match name {
        Name::Providers => after & !before == 0,
        Name::Bind => after == 1,
        Name::Fallback | Name::ClientKeys | Name::Jwk => after == 0,
    }
}

/// Of four hundred steps, how many are which.
pub fn draw(logins: bool) -> impl Strategy<Value = Draw> {
    let packet = move || {
        (any::<bool>(), any::<bool>(), weighted(1.0 / 3.0)).prop_map(move |(key, login, as_bob)| Packet {
            key,
            login: logins && login,
            as_bob: logins && login && as_bob,
        })
    };
    let file_names = [
        Name::Providers,
        Name::Providers,
        Name::Fallback,
        Name::Bind,
        Name::ClientKeys,
        Name::Jwk,
    ];
    let place = prop_oneof![
        2 => (0..ANY).prop_map(Place::Database),
        1 => any::<bool>().prop_map(Place::Role),
    ];
    let step = prop_oneof![
        230 => (0..ANY, 0..SAYINGS.len()).prop_map(|(session, sql)| Step::Say { session, sql }),
        38 => (0..ANY, packet()).prop_map(|(database, packet)| Step::Connect { database, packet }),
        8 => (0..ANY).prop_map(|session| Step::Disconnect { session }),
        12 => (0..ANY, packet(), 0..ATTACKS).prop_map(|(database, packet, way)| Step::Attack {
            database,
            packet: Packet { key: false, ..packet },
            way,
        }),
        64 => (0..ANY, setting(STORED.to_vec()), weighted(0.25)).prop_map(|(session, (name, value), is_local)| {
            Step::Put { session, name, value, is_local }
        }),
        18 => setting(file_names.to_vec()).prop_map(|(name, value)| Step::File { name, value }),
        22 => (place, setting(STORED.to_vec()), weighted(0.75)).prop_map(|(place, (name, value), reload)| {
            Step::Store { place, name, value, reload }
        }),
        1 => (0..ANY).prop_map(|database| Step::Copy { database }),
        3 => any::<bool>().prop_map(|given| Step::Grant { given }),
        4 => Just(Step::ConnectAsChanging),
    ];
    (step, (0..ANY, packet())).prop_map(|(step, connect)| Draw { step, connect })
}

/// One of these settings, and a value or its default.
fn setting(names: Vec<Name>) -> impl Strategy<Value = (Name, Option<u8>)> {
    // Providers have four values, the others two.
    (select(names), option::weighted(0.75, 0..4_u8)).prop_map(|(name, value)| match name {
        Name::Providers => (name, value),
        _ => (name, value.map(|value| value % 2)),
    })
}

impl Draw {
    /// The step that it is with so many sessions and databases.
    pub fn resolve(&self, sessions: usize, databases: usize) -> Step {
        let mut step = self.step;
        if sessions == 0 {
            let (database, packet) = self.connect;
            step = Step::Connect { database, packet };
        }
        if let (Step::Connect { database, .. }, SESSIONS) = (step, sessions) {
            step = Step::Disconnect { session: database };
        }
        match &mut step {
            Step::Say { session, .. } | Step::Disconnect { session } | Step::Put { session, .. } => {
                *session %= sessions;
            }
            Step::Connect { database, .. }
            | Step::Attack { database, .. }
            | Step::Copy { database }
            | Step::Store {
                place: Place::Database(database),
                ..
            } => *database %= databases,
            Step::File { .. } | Step::Store { .. } | Step::Grant { .. } | Step::ConnectAsChanging => {}
        }
        step
    }
}
