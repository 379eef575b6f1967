//! The two servers, their sessions, and what providers and tokens there are.

use std::fs;
use std::path::PathBuf;

use postgres::Client;

use crate::shared_cache::support::{CONF, set_providers};
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{now, rejection_of, run};

pub const SESSIONS: usize = 4;
pub const DATABASES: usize = 3;
pub const LISTS: usize = 10;
pub const CONTENTS: usize = 5;
/// Of each of three signers so many.
pub const VARIANTS: usize = 6;
pub const TOKENS: usize = 3 * VARIANTS;

/// The same session on both servers.
struct Pair {
    cached: Client,
    plain: Client,
    role: &'static str,
}

pub struct Deployment {
    cached: Server,
    plain: Server,
    /// Their databases, which have the same names. The last one has another encoding.
    databases: Vec<String>,
    /// Two keys of issuer `a`, and one of issuer `b`.
    signers: [Provider; 3],
    /// The key file, which both servers read.
    file: PathBuf,
    sessions: Vec<Pair>,
    tokens: Vec<String>,
    pub accepted: u64,
}

impl Deployment {
    pub fn new() -> Deployment {
        let cached = Server::start(&format!("{CONF}\npg_session_jwt.shared_cache = 1MB"));
        let plain = Server::start(&format!("{CONF}\npg_session_jwt.shared_cache = 0"));
        let options = ["", "", "encoding 'LATIN1' template template0 locale 'C'"];
        let databases = options.map(|options| {
            let name = cached.database_with(options);
            assert_eq!(name, plain.database_with(options));
            name
        });
        Deployment {
            file: cached.directory().join("keys.json"),
            cached,
            plain,
            databases: databases.to_vec(),
            signers: [Provider::new("a"), Provider::with_kid("a", "k2"), Provider::new("b")],
            sessions: Vec::new(),
            tokens: Vec::new(),
            accepted: 0,
        }
    }

    /// Begins a game: new sessions and tokens, and the first value of everything else.
    pub fn begin(&mut self) {
        self.sessions.clear();
        self.write_file(0);
        for database in 0..DATABASES {
            self.store(database, 0);
        }
        for session in 0..SESSIONS {
            self.open(session, session % DATABASES);
        }
        self.tokens = self.signers.iter().flat_map(tokens).collect();
    }

    /// The value of the setting for this number.
    pub fn providers(&self, list: usize) -> String {
        let [one, two, other] = &self.signers;
        let file = |more: &str| format!(r#"{{"issuer":"a","jwks_file":"{}"{more}}}"#, self.file.display());
        let entries: [Vec<String>; LISTS] = [
            vec![one.entry("")],
            vec![file("")],
            vec![one.entry(r#","user_id_claim":"email""#)],
            vec![other.entry(""), one.entry("")],
            vec![one.entry(r#","roles":"authenticated""#)],
            vec![one.entry(r#","audience":"x""#)],
            vec![one.entry(""), file("")],
            vec![two.entry("")],
            vec![file(r#","leeway":0"#), other.entry("")],
            vec![file(r#","max_age":100"#)],
        ];
        format!("[{}]", entries[list].join(","))
    }

    pub fn store(&mut self, database: usize, list: usize) {
        let entries = self.providers(list);
        let entries = entries.trim_start_matches('[').trim_end_matches(']').to_owned();
        for server in [&self.cached, &self.plain] {
            set_providers(server, &self.databases[database], std::slice::from_ref(&entries));
        }
    }

    pub fn write_file(&mut self, content: usize) {
        let [one, two, _] = &self.signers;
        let content = [
            Some(one.key_set()),
            Some(two.key_set()),
            Some(format!(r#"{{"keys":[{},{}]}}"#, one.jwk(), two.jwk())),
            None,
            Some("{}".to_owned()),
        ][content]
            .clone();
        match content {
            Some(content) => {
                let temporary = self.file.with_extension("new");
                fs::write(&temporary, content).unwrap();
                fs::rename(&temporary, &self.file).unwrap();
            }
            None => drop(fs::remove_file(&self.file)),
        }
    }

    pub fn open(&mut self, session: usize, database: usize) {
        let open = |server: &Server| server.connect(&self.databases[database], "postgres", "");
        let pair = Pair {
            cached: open(&self.cached),
            plain: open(&self.plain),
            role: "none",
        };
        if session < self.sessions.len() {
            self.sessions[session] = pair;
        } else {
            self.sessions.push(pair);
        }
    }

    pub fn set_role(&mut self, session: usize, role: &'static str) {
        self.sessions[session].role = role;
        self.set(session, "");
    }

    /// Runs a statement of the superuser.
    pub fn set(&mut self, session: usize, statement: &str) {
        let Pair { cached, plain, role } = &mut self.sessions[session];
        for client in [cached, plain] {
            run(client, &format!("reset role; {statement}; set role {role}"));
        }
    }

    pub fn present(&mut self, session: usize, token: usize) -> Result<(), String> {
        let present = format!("select auth.jwt_session_init('{}')", self.tokens[token]);
        self.same(session, &present)?;
        self.read(session)
    }

    pub fn read(&mut self, session: usize) -> Result<(), String> {
        let read =
            "select concat_ws('; ', auth.user_id(), auth.jwt(), s.provider, s.issuer, s.kid) from auth.status() s";
        self.same(session, read)
    }

    /// Runs a query on both servers and compares the answers: the value, or SQLSTATE and message.
    fn same(&mut self, session: usize, query: &str) -> Result<(), String> {
        let Pair { cached, plain, .. } = &mut self.sessions[session];
        let [cached, plain] = [cached, plain].map(|client| match client.simple_query(query) {
            Ok(messages) => format!("{messages:?}"),
            Err(error) => {
                let rejection = rejection_of(&error);
                format!("{} {}", rejection.sqlstate, rejection.message)
            }
        });
        if cached != plain {
            return Err(format!("with a cache: {cached}; without: {plain}"));
        }
        self.accepted += u64::from(query.contains("init") && cached.starts_with('['));
        Ok(())
    }

    /// How many tokens the server with a cache has verified in this way.
    pub fn origins(&self, origin: &str) -> usize {
        let log = self.cached.log();
        log.lines().filter(|line| line.ends_with(origin)).count()
    }
}

/// The tokens of a signer. None begins or ends during a game: the leeway is 0 or 300 seconds.
fn tokens(signer: &Provider) -> [String; VARIANTS] {
    let (now, later) = (now(), now() + 3600);
    let members: [String; VARIANTS] = [
        format!(r#""sub":"alice","email":"e","iat":{now},"exp":{later}"#),
        format!(r#""sub":"bob","aud":"x","exp":{later}"#),
        format!(r#""sub":"é","iat":{},"exp":{later}"#, now - 200),
        format!(r#""sub":"漢","exp":{later}"#),
        format!(r#""sub":"carol","exp":{}"#, now - 5),
        format!(r#""sub":"dave","x":"\u00e9","nbf":{},"exp":{later}"#, now + 200),
    ];
    members.map(|members| signer.token_with(&members))
}
