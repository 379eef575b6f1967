//! Servers with OAuth logins (since PostgreSQL 18), and their tokens.

use std::fs;
use std::sync::LazyLock;

use testkit::provider::ending;
use testkit::server::{Server, major, pg_config};
use testkit::session::{Rejection, now, run};
use testkit::signer::{ED25519, P256, RSA, Signer};
use testkit::wire::Wire;

pub const ISSUER: &str = "https://a.example/";

/// The superuser of the tests logs in as usual. `alice` and `bob` use a map of user ids, and for all others the
/// validator decides.
const HBA: &str = "\
local all         all                   trust
host  all         postgres 127.0.0.1/32 trust
host  all         alice,bob 127.0.0.1/32 oauth issuer=\"https://a.example/\" scope=\"openid\" map=people
host  all,replication all  127.0.0.1/32 oauth issuer=\"https://a.example/\" scope=\"openid\" delegate_ident_mapping=1
";
const IDENT: &str = "people /^([a-z]+)@example\\.com$ \\1\n";

/// Types of keys: the signer, its algorithm, and its name.
pub fn signers() -> [(&'static Signer, &'static str); 3] {
    [(&ED25519, "EdDSA"), (&P256, "ES256"), (&RSA, "RS256")]
}

/// The provider with those keys, as an entry in the setting. Further members follow `issuer` and `jwks`.
pub fn entry(more: &str) -> String {
    let keys: Vec<_> = signers()
        .iter()
        .map(|(signer, alg)| signer.jwk(&format!(r#""kid":"{alg}""#)))
        .collect();
    format!(
        r#"{{"issuer":"{ISSUER}","jwks":{{"keys":[{}]}}{more}}}"#,
        keys.join(",")
    )
}

/// The entry with the requirements of most tests.
pub fn usual_entry() -> String {
    entry(r#","audience":"api","roles":["authenticated","postgres","replicator"]"#)
}

/// A token of the provider, signed with this algorithm, with this payload after `iss`.
pub fn token_by(alg: &str, members: &str) -> String {
    let (signer, alg) = signers().into_iter().find(|(_, of)| *of == alg).unwrap();
    let header = format!(r#"{{"alg":"{alg}","kid":"{alg}"}}"#);
    let exp = ending(members, now() + 600);
    signer.token_with_header(alg, header, format!(r#"{{"iss":"{ISSUER}",{members}{exp}}}"#))
}

/// A valid token of a user.
pub fn token(user: &str) -> String {
    token_of(user, "")
}

/// The same with further members, such as `"email":"x"`.
pub fn token_of(user: &str, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    token_with(&format!(
        r#""sub":"{user}","aud":"api","exp":{}{comma}{more}"#,
        now() + 600
    ))
}

pub fn token_with(members: &str) -> String {
    token_by("EdDSA", members)
}

/// The settings of a server with OAuth logins by these providers.
pub fn conf(entries: &[String], more: &str) -> String {
    format!(
        "oauth_validator_libraries = 'pg_session_jwt'\nlog_connections = on\n\
         pg_session_jwt.providers = '[{}]'\n{more}",
        entries.join(",")
    )
}

/// Whether the library has the symbol of a validator. The search takes a second.
static IS_VALIDATOR: LazyLock<bool> = LazyLock::new(|| {
    let library = fs::read(pg_config("--pkglibdir").join("pg_session_jwt.so")).unwrap();
    let symbol = b"_PG_oauth_validator_module_init";
    library.windows(symbol.len()).any(|bytes| bytes == symbol)
});

/// A server with these settings and OAuth logins. None before PostgreSQL 18, whose libraries are then inspected: they
/// must not have the symbol that 18 looks up.
pub fn server_with(conf: &str) -> Option<Server> {
    assert_eq!(*IS_VALIDATOR, major() >= 18);
    if !*IS_VALIDATOR {
        return None;
    }
    let server = Server::start_program(conf, |directory| {
        fs::write(directory.join("data/pg_hba.conf"), HBA).unwrap();
        fs::write(directory.join("data/pg_ident.conf"), IDENT).unwrap();
        pg_config("--bindir").join("postgres")
    });
    let mut admin = server.connect("template1", "postgres", "");
    run(
        &mut admin,
        "create extension pg_session_jwt;
         alter role authenticated login;
         alter role anonymous login;
         create role alice login; create role bob login; create role replicator login replication;
         create table notes (owner text default auth.user_id(), note text);
         alter table notes enable row level security;
         create policy own_notes on notes using (auth.user_id() = owner) with check (auth.user_id() = owner);
         grant select, insert on notes to public",
    );
    drop(admin);
    alter(&server, "create database app");
    Some(server)
}

/// A server with the usual provider. The library is not preloaded: the first login of each session loads it.
pub fn usual_server(more: &str) -> Option<Server> {
    server_with(&conf(&[usual_entry()], more))
}

/// Runs SQL as a superuser in a short session.
pub fn alter(server: &Server, sql: &str) {
    run(&mut server.connect("postgres", "postgres", ""), sql);
}

/// A login as `authenticated` into the database `app`.
pub fn login(server: &Server, token: &str) -> Result<Wire, Rejection> {
    login_to(server, "app", token)
}

pub fn login_to(server: &Server, database: &str, token: &str) -> Result<Wire, Rejection> {
    Wire::login(server.port(), "authenticated", &[("database", database)], token)
}

/// Asserts PostgreSQL's uniform error for a rejected login.
#[track_caller]
pub fn is_rejected(login: Result<Wire, Rejection>, user: &str) {
    let rejection = login.err().expect("a rejection");
    assert_eq!(
        rejection,
        Rejection {
            sqlstate: "28000".to_owned(),
            message: format!("OAuth bearer authentication failed for user \"{user}\""),
            detail: None,
            hint: None,
        }
    );
}

/// The part of the log after this many bytes.
pub fn log_since(server: &Server, bytes: usize) -> String {
    server.log().split_off(bytes)
}
