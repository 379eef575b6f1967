//! The server of the games: its keys and tokens, its roles, and the functions that sessions call.

use std::collections::BTreeSet;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use testkit::provider::Provider;
use testkit::server::{Server, major, pg_config};
use testkit::session::{Proxy, Rejection, now, one, run};
use testkit::wire::Wire;

use super::model::{Name, Packet, Place};

pub const MEMBER: &str = "member";
pub const HOLDER: &str = "holder";
pub const CHANGING: &str = "changing";

const FUNCTIONS: &str = r#"
    create function put(name text, value text, is_local boolean) returns text language sql security definer
        as 'select set_config(name, value, is_local)';
    create function may_be(names text[], tokens text[]) returns text language plpgsql as $$
    declare
        whom text := '';
        is_now text;
    begin
        begin
            is_now := coalesce(auth.user_id(), '-');
        exception when others then
            is_now := sqlstate;
        end;
        for i in 1 .. cardinality(tokens) loop
            begin
                perform set_config('pg_session_jwt.jwt', tokens[i], true);
                if auth.user_id() is not null then
                    whom := whom || names[i] || ' ';
                end if;
                raise 'undone';
            exception when others then
                null;
            end;
        end loop;
        begin
            perform set_config('pg_session_jwt.jwt', '', true),
                    set_config('request.jwt.claims', '{"sub":"claimed"}', true);
            if auth.user_id() = 'claimed' then
                whom := whom || 'claims ';
            end if;
            raise 'undone';
        exception when others then
            null;
        end;
        return is_now || ' ' || whom;
    end $$;
"#;

/// The user that a session tries to become. Tokens for keys of proxy mode are made again for each try.
const WHOM: [&str; 6] = ["a=alice", "a=bob", "b=alice", "client", "server", "claims"];

pub struct Deployment {
    pub server: Server,
    pub admin: postgres::Client,
    providers: [Provider; 2],
    of_providers: [String; 3],
    client: Proxy,
    owner: Proxy,
    jti: i64,
    marker: u32,
}

impl Deployment {
    pub fn new() -> Deployment {
        let providers = [Provider::new("https://a.example/"), Provider::new("https://b.example/")];
        let logins = major() >= 18;
        let mut conf = "shared_preload_libraries = 'pg_session_jwt'\n".to_owned();
        let mut hba = "local all all trust\n".to_owned();
        if logins {
            conf += "oauth_validator_libraries = 'pg_session_jwt'\n";
            hba += &format!(
                "host all {HOLDER},{CHANGING} 127.0.0.1/32 oauth issuer=\"https://a.example/\" scope=\"openid\" \
                 delegate_ident_mapping=1\n"
            );
        }
        hba += "host all all 127.0.0.1/32 trust\n";
        let server = Server::start_program(&conf, |directory| {
            fs::write(directory.join("data/pg_hba.conf"), hba).unwrap();
            pg_config("--bindir").join("postgres")
        });
        let mut template = server.connect("template1", "postgres", "");
        run(&mut template, "create extension pg_session_jwt");
        run(
            &mut template,
            &format!(
                "create role {MEMBER} login in role authenticated; create role {HOLDER} login; \
                 create role {CHANGING} login; create role between"
            ),
        );
        run(&mut template, FUNCTIONS);
        let far = |sub: &str| format!(r#""sub":"{sub}","exp":{}"#, now() + 36_000);
        let of_providers = [
            providers[0].token_with(&far("alice")),
            providers[0].token_with(&far("bob")),
            providers[1].token_with(&far("alice")),
        ];
        Deployment {
            admin: server.connect("postgres", "postgres", ""),
            server,
            providers,
            of_providers,
            client: Proxy::new(),
            owner: Proxy::new(),
            jti: 0,
            marker: 0,
        }
    }

    /// The name of a setting, and its value in SQL.
    pub fn text(&self, name: Name, value: u8) -> (&'static str, String) {
        let switch = || if value == 1 { "on" } else { "off" }.to_owned();
        match name {
            Name::Providers => {
                let entries = self
                    .providers
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| value & (1 << place) != 0);
                let entries: Vec<String> = entries.map(|(_, provider)| provider.entry("")).collect();
                let list = if entries.is_empty() {
                    String::new()
                } else {
                    format!("[{}]", entries.join(","))
                };
                ("pg_session_jwt.providers", list)
            }
            Name::Fallback => ("pg_session_jwt.claims_fallback", switch()),
            Name::Bind => ("pg_session_jwt.bind_login_identity", switch()),
            Name::ClientKeys => ("pg_session_jwt.client_keys", switch()),
            Name::Jwk => ("pg_session_jwt.jwk", self.owner.jwk()),
        }
    }

    pub fn set_file(&mut self, name: Name, value: Option<u8>) {
        // Without a key there is no line.
        let value = value.filter(|value| name != Name::Jwk || *value == 1);
        let (setting, text) = self.text(name, value.unwrap_or(0));
        let sql = match value {
            Some(_) => format!("alter system set {setting} = '{text}'"),
            None => format!("alter system reset {setting}"),
        };
        run(&mut self.admin, &sql);
    }

    pub fn store(&mut self, place: Place, name: Name, value: Option<u8>) {
        let whom = match place {
            Place::Database(database) => format!("database {}", database_name(database)),
            Place::Role(false) => format!("role {MEMBER}"),
            Place::Role(true) => format!("role {HOLDER}"),
        };
        let (setting, text) = self.text(name, value.unwrap_or(0));
        let sql = match value {
            Some(_) => format!("alter {whom} set {setting} = '{text}'"),
            None => format!("alter {whom} reset {setting}"),
        };
        run(&mut self.admin, &sql);
    }

    /// Reloads the server; returns the number by which a session shows that it has reloaded.
    pub fn reload(&mut self) -> u32 {
        self.marker = (self.marker + 1) % 1000;
        run(
            &mut self.admin,
            &format!("alter system set commit_siblings = {}", self.marker),
        );
        run(&mut self.admin, "select pg_reload_conf()");
        self.marker
    }

    /// Leaves one database without sessions, and no setting. `databases` is the number that there may be now.
    pub fn reset(&mut self, databases: usize) {
        for index in 0..databases {
            run(
                &mut self.admin,
                &format!("drop database if exists {} with (force)", database_name(index)),
            );
        }
        run(&mut self.admin, &format!("alter role {MEMBER} reset all"));
        run(&mut self.admin, &format!("alter role {HOLDER} reset all"));
        run(&mut self.admin, &format!("create database {}", database_name(0)));
        for name in [Name::Providers, Name::Fallback, Name::Bind, Name::ClientKeys, Name::Jwk] {
            self.set_file(name, None);
        }
        let marker = self.reload().to_string();
        let mut admin = self.server.connect("postgres", "postgres", "");
        let began = Instant::now();
        while one::<String>(&mut admin, "show commit_siblings") != marker {
            assert!(began.elapsed() < Duration::from_secs(60), "the file is not read");
            sleep(Duration::from_millis(1));
        }
    }

    pub fn connect(&self, database: usize, packet: Packet, more: &[(&str, &str)]) -> Result<Wire, Rejection> {
        let (name, jwk) = (database_name(database), self.client.jwk());
        let mut parameters = vec![("database", name.as_str())];
        parameters.extend(packet.key.then_some(("pg_session_jwt.jwk", jwk.as_str())));
        parameters.extend(
            packet
                .as_bob
                .then_some(("pg_session_jwt.jwt", self.of_providers[1].as_str())),
        );
        parameters.extend(more);
        let role = if packet.login { HOLDER } else { MEMBER };
        Wire::login(self.server.port(), role, &parameters, &self.of_providers[0])
    }

    /// With alice's token, as a role that may have gained more than an end user's privileges.
    pub fn connect_as_changing(&self) -> Result<Wire, Rejection> {
        let parameters = [("database", database_name(0))];
        let parameters = parameters.each_ref().map(|(name, value)| (*name, value.as_str()));
        Wire::login(self.server.port(), CHANGING, &parameters, &self.of_providers[0])
    }

    /// A key that is not the proxy's, and is used twice.
    pub fn two_keys(&self) -> [String; 2] {
        [self.client.options(), self.owner.jwk()]
    }

    /// The users that a session may become, and its current user id or SQLSTATE.
    pub fn ask(&mut self, session: &mut Wire) -> (BTreeSet<&'static str>, String) {
        self.jti += 1;
        let of_keys = [&self.client, &self.owner].map(|key| key.token_with_jti(self.jti, r#""sub":"forged""#));
        let tokens: Vec<&str> = self.of_providers.iter().chain(&of_keys).map(String::as_str).collect();
        let names = WHOM[..tokens.len()].join(",");
        let sql = format!("select may_be('{{{names}}}', '{{{}}}')", tokens.join(","));
        let answer = session.one(&sql).unwrap();
        let (is_now, whom) = answer.split_once(' ').unwrap();
        let whom = whom
            .split_whitespace()
            .map(|name| WHOM.into_iter().find(|it| *it == name).unwrap());
        (whom.collect(), is_now.to_owned())
    }
}

pub fn database_name(place: usize) -> String {
    format!("trust{place}")
}
