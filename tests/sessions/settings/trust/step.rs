//! The steps, and the choice of the next one.

use super::model::{Name, Packet, Place, STORED};
use crate::identity::sequences::random::Random;

/// Sessions and user statements are given by their index in the lists.
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

/// Whether a change of a setting removes trust and grants none.
pub fn removes(name: Name, before: u8, after: u8) -> bool {
    match name {
        Name::Providers => after & !before == 0,
        Name::Bind => after == 1,
        Name::Fallback | Name::ClientKeys | Name::Jwk => after == 0,
    }
}

impl Step {
    pub fn choose(random: &mut Random, sessions: usize, databases: usize, logins: bool) -> Step {
        let database = random.below(databases);
        let login = logins && random.once_in(2);
        let packet = Packet {
            key: random.once_in(2),
            login,
            as_bob: login && random.once_in(3),
        };
        if sessions == 0 {
            return Step::Connect { database, packet };
        }
        let session = random.below(sessions);
        let name = random.pick(&STORED);
        let value = |random: &mut Random, name: Name| {
            let values = if name == Name::Providers { 4 } else { 2 };
            (!random.once_in(4)).then(|| u8::try_from(random.below(values)).unwrap())
        };
        match random.below(400) {
            0..230 => Step::Say {
                session,
                sql: random.below(SAYINGS.len()),
            },
            230..268 if sessions < 5 => Step::Connect { database, packet },
            230..276 => Step::Disconnect { session },
            276..288 => Step::Attack {
                database,
                packet: Packet { key: false, ..packet },
                way: random.below(ATTACKS),
            },
            288..352 => Step::Put {
                session,
                name,
                value: value(random, name),
                is_local: random.once_in(4),
            },
            352..370 => {
                let name = random.pick(&[
                    Name::Providers,
                    Name::Providers,
                    Name::Fallback,
                    Name::Bind,
                    Name::ClientKeys,
                    Name::Jwk,
                ]);
                Step::File {
                    name,
                    value: value(random, name),
                }
            }
            370..392 => Step::Store {
                place: match random.below(3) {
                    0 => Place::Role(random.once_in(2)),
                    _ => Place::Database(database),
                },
                name,
                value: value(random, name),
                reload: !random.once_in(4),
            },
            392..393 => Step::Copy { database },
            393..396 => Step::Grant {
                given: random.once_in(2),
            },
            _ => Step::ConnectAsChanging,
        }
    }
}
