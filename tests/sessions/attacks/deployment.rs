//! The deployment under attack: servers, users and their rows.

use std::sync::LazyLock;

use postgres::config::SslMode;
use postgres::{Client, Config, NoTls};
use testkit::forgeries::Victim;
use testkit::pgbouncer::PgBouncer;
use testkit::server::Server;
use testkit::session::{rows, run};
use testkit::signer::{HMAC, Signer};

use super::ways::Way;

pub const ISSUER: &str = "https://issuer.example/";

static KEY: LazyLock<Signer> = LazyLock::new(Signer::ed25519);

/// A server with the library preloaded, where `authenticated` may log in, which the README advises against.
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    start(&format!(
        "shared_preload_libraries = 'pg_session_jwt'\n{}",
        providers_line()
    ))
});

/// The same, except that the first call of a session loads the library.
static LATE: LazyLock<Server> = LazyLock::new(|| start(&line(&providers(""))));

static BOUNCER: LazyLock<PgBouncer> = LazyLock::new(|| PgBouncer::start(&SERVER, "transaction", ""));
static LATE_BOUNCER: LazyLock<PgBouncer> = LazyLock::new(|| PgBouncer::start(&LATE, "transaction", ""));

/// Settings of every server here, which permit the attacks to be tried.
pub const CONF: &str = "max_connections = 300\nmax_prepared_transactions = 50\nmax_worker_processes = 100\n\
                        max_parallel_workers = 100\npg_session_jwt.audit_log = on\n";

/// In template1, and therefore in every later database.
pub const TODOS: &str = "
    create table todos (
        id int generated always as identity primary key,
        user_id text not null default auth.user_id(),
        task text not null,
        unique (user_id, task));
    insert into todos (user_id, task) values ('alice', 'secret'), ('mallory', 'own'), ('alice', 'hidden');
    alter table todos enable row level security;
    create policy own on todos to authenticated using (auth.user_id() = user_id) with check (auth.user_id() = user_id);
    grant select, insert, update, delete on todos to authenticated;";

/// A line of postgresql.conf with a symmetric key as well, which is valid there with a preloaded library.
pub fn providers_line() -> String {
    line(&providers(&format!(",{}", victim().secret_key())))
}

fn line(providers: &str) -> String {
    format!("pg_session_jwt.providers = '{providers}'")
}

/// The provider, and who attacks whom.
pub fn victim() -> Victim<'static> {
    Victim {
        key: &KEY,
        issuer: ISSUER,
        claims: "",
        user: "alice",
        attacker: "mallory",
    }
}

/// The one provider, with public keys and these.
pub fn providers(more: &str) -> String {
    let keys = victim().public_keys();
    format!(r#"[{{"issuer":"{ISSUER}","jwks":{{"keys":[{keys}{more}]}}}}]"#)
}

/// The secret, which only superusers may see.
pub fn secret() -> String {
    let jwk = HMAC.jwk("");
    let (_, secret) = jwk.split_once(r#""k":""#).unwrap();
    secret.trim_end_matches("\"}").to_owned()
}

/// A server with `todos` in each database, an application that may become `authenticated`, and that role as a login.
fn start(conf: &str) -> Server {
    let server = Server::start(&format!("{CONF}{conf}"));
    let mut admin = server.connect("template1", "postgres", "");
    run(&mut admin, TODOS);
    run(
        &mut admin,
        "create role app login noinherit in role authenticated; alter role authenticated login",
    );
    server
}

pub struct Deployment {
    pub way: Way,
    pub server: &'static Server,
    bouncer: Option<&'static PgBouncer>,
    pub database: String,
}

impl Deployment {
    pub fn new(way: Way) -> Deployment {
        Deployment::on(&SERVER, way, || &BOUNCER)
    }

    /// A deployment whose sessions load the library after mallory's first statement.
    pub fn late(way: Way) -> Deployment {
        Deployment::on(&LATE, way, || &LATE_BOUNCER)
    }

    fn on(server: &'static Server, way: Way, bouncer: impl FnOnce() -> &'static PgBouncer) -> Deployment {
        Deployment {
            way,
            server,
            bouncer: (way == Way::Pooled).then(bouncer),
            // Faster than through the WAL, because nothing is flushed at once.
            database: server.database_with("strategy file_copy"),
        }
    }

    /// A session of `authenticated` without a token.
    pub fn anyone(&self) -> Client {
        self.try_connect("").unwrap()
    }

    /// The same with startup options such as `-c name=value`.
    pub fn try_connect(&self, options: &str) -> Result<Client, postgres::Error> {
        let port = self.bouncer.map_or(self.server.port(), |bouncer| bouncer.port);
        let user = if self.way == Way::Login { "authenticated" } else { "app" };
        let mut client = connect(port, &self.database, user, options)?;
        if self.way != Way::Login {
            client.batch_execute("set role authenticated")?;
        }
        Ok(client)
    }

    /// A session of `authenticated` in which mallory has presented her token.
    pub fn mallory(&self) -> Client {
        let mut client = self.anyone();
        run(&mut client, &session_init("mallory"));
        client
    }

    /// A request of alice in a separate session, in the README's form for poolers; returns the rows of its last query.
    pub fn alice(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        request(&mut self.anyone(), "alice", sql)
    }

    pub fn admin(&self) -> Client {
        self.server.connect(&self.database, "postgres", "")
    }
}

/// Two hundred databases at once would take more than a gigabyte.
impl Drop for Deployment {
    fn drop(&mut self) {
        let drop = format!("drop database {} with (force)", self.database);
        if let Ok(mut admin) = self.server.try_connect("postgres", "postgres", "") {
            let _ = admin.batch_execute(&drop);
        }
    }
}

/// A connection. Without options it sends none, because PgBouncer would reject them.
pub fn connect(port: u16, database: &str, user: &str, options: &str) -> Result<Client, postgres::Error> {
    let mut config = Config::new();
    config.host("127.0.0.1").port(port).dbname(database).user(user);
    config.ssl_mode(SslMode::Disable);
    if !options.is_empty() {
        config.options(options);
    }
    config.connect(NoTls)
}

/// One transaction with a local identity of this user.
pub fn request(client: &mut Client, user: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    let token = token(user);
    rows(
        client,
        &format!("begin; select auth.jwt_session_init('{token}', true); {sql}; commit"),
    )
}

pub fn session_init(user: &str) -> String {
    format!("select auth.jwt_session_init('{}')", token(user))
}

/// A valid token of this user.
pub fn token(user: &str) -> String {
    victim().token(user)
}

/// A valid token with these members.
pub fn token_with(members: &str) -> String {
    victim().token_with(members)
}

/// A token of this header and payload, signed with the deployment's Ed25519 key.
pub fn signed(header: &str, payload: &str) -> String {
    victim().signed(header, payload)
}

/// Claims that are valid except for these members.
pub fn payload(members: &str) -> String {
    victim().payload(members)
}
