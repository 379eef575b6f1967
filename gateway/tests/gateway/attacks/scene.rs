//! The scene of an attack: a gateway with one connection to PostgreSQL, the attacker, and her victims.

use std::ops::Deref;
use std::sync::{LazyLock, Mutex};

use serde_json::{Value, json};
use testkit::forgeries::Victim;
use testkit::server::Server;
use testkit::session::run;
use testkit::signer::Signer;

use crate::running::{Client, Gateway};
use crate::{BOB, SERVER, SIGNER, database_of, token};

pub const MALLORY: &str = "bad00000-0000-4000-8000-000000000003";

/// Who she is, and the rows that she sees.
pub const WHO: &str = "select auth.user_id(), (select string_agg(task, ' ' order by id) from public.todos)";

/// The provider of the server, whose tokens of bob are forged.
pub fn victim() -> Victim<'static> {
    Victim {
        key: &SIGNER,
        issuer: "https://id.example/",
        claims: r#""aud":"todos""#,
        user: BOB,
        attacker: MALLORY,
    }
}

/// A token of bob's that the provider has not signed.
pub fn forged() -> String {
    let header = r#"{"alg":"EdDSA","kid":"k1"}"#;
    let claims = victim().payload(&format!(r#""sub":"{BOB}""#));
    Signer::ed25519().token_with_header("EdDSA", header, claims)
}

/// What some attacks need besides the todos: functions of the owner, rows for parallel workers, a policy that can fail.
const OBJECTS: &str = "
    create function asked_by() returns text language sql security definer
        as $$ select current_user || ' for ' || coalesce(auth.user_id(), '(none)') $$;
    create function tighten(for_transaction boolean) returns void language sql security definer
        as $$ select set_config('pg_session_jwt.leeway', '0', for_transaction) $$;
    create function count_mine() returns bigint language plpgsql stable
        as $$ begin return (select count(*) from public.todos); end $$;
    create function count_inlined() returns bigint language sql stable as 'select count(*) from public.todos';
    create table many as select i from generate_series(1, 4000) i;
    alter table many set (parallel_workers = 2);
    grant select on many to authenticated;";

const ROWS: &str = "
    insert into todos (user_id, task) values ('{bob}', 'secret'), ('{mallory}', 'own'), ('{bob}', 'hidden');
    create table opens (user_id text, n int);
    insert into opens select (array['{bob}', 'carol', '{mallory}', null])[i % 4 + 1], i from generate_series(1, 4000) i;
    alter table opens set (parallel_workers = 2);
    alter table opens enable row level security;
    create policy own on opens to authenticated using (
        auth.user_id() is null or coalesce(auth.user_id(), '{bob}') = user_id
        or user_id is not distinct from auth.user_id());
    grant select on opens to authenticated;
    create table docs (id int, owner text, kind text, secret text);
    insert into docs values (1, '{mallory}', 'num', '7'), (2, '{bob}', 'word', 'hush');
    alter table docs enable row level security;
    create policy own on docs to authenticated using (substr(lower(trim(upper(trim(lower(kind))))), 1, 3) = 'num'
        and (select (auth.user_id() = owner) = (secret::int > 0)));
    grant select, update, delete on docs to authenticated;
    analyze";

/// A new database with the rows of mallory and bob.
pub fn database_with_rows(server: &Server) -> String {
    let database = database_of(server);
    let rows = ROWS.replace("{bob}", BOB).replace("{mallory}", MALLORY);
    run(
        &mut server.connect(&database, "postgres", ""),
        &format!("{OBJECTS}{rows}"),
    );
    database
}

/// As many as there were tests at the same time.
static IDLE: Mutex<Vec<Scene>> = Mutex::new(Vec::new());

/// A scene that the next test uses again, unless this one fails.
pub struct Shared(Option<Scene>);

impl Deref for Shared {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        self.0.as_ref().expect("a scene, until it is dropped")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            IDLE.lock().unwrap().extend(self.0.take());
        }
    }
}

pub struct Scene {
    pub gateway: Gateway,
    mallory: String,
    bob: String,
    /// The process behind the one connection.
    backend: Mutex<Value>,
}

impl Scene {
    /// In the database of all attacks that change no row. Other attacks have been played on the same connection.
    pub fn shared() -> Shared {
        static DATABASE: LazyLock<String> = LazyLock::new(|| database_with_rows(&SERVER));
        let idle = IDLE.lock().unwrap().pop();
        Shared(Some(idle.unwrap_or_else(|| Scene::on(&SERVER, &DATABASE))))
    }

    pub fn on(server: &Server, database: &str) -> Scene {
        let scene = Scene {
            gateway: Gateway::start(server, database, &["--max-connections=1"]),
            mallory: token(MALLORY, 600),
            bob: token(BOB, 600),
            backend: Mutex::default(),
        };
        scene.notice_backend();
        scene
    }

    fn notice_backend(&self) {
        let backend = self.visitor().rows("select pg_backend_pid()")[0][0].take();
        *self.backend.lock().unwrap() = backend;
    }

    pub fn mallory(&self) -> Client<'_> {
        self.gateway.with(&self.mallory)
    }

    pub fn visitor(&self) -> Client<'_> {
        self.gateway.client("anonymous", None)
    }

    /// SQL with `{mallory}` and `{bob}` as their user ids, `{hers}` and `{forged}` as tokens, `{other}` as a valid token of
    /// a user without rows.
    pub fn sql(&self, text: &str) -> String {
        let mut sql = text
            .replace("{mallory}", MALLORY)
            .replace("{bob}", BOB)
            .replace("{hers}", &self.mallory);
        if sql.contains("{forged}") {
            sql = sql.replace("{forged}", &forged());
        }
        if sql.contains("{other}") {
            sql = sql.replace("{other}", &token("other", 600));
        }
        sql
    }

    /// What a batch of this client answers: the rows of its last statement, or the SQLSTATE. Then bob and a visitor follow.
    #[track_caller]
    pub fn answer(&self, client: &Client<'_>, statements: &[&str]) -> Value {
        let statements: Vec<String> = statements.iter().map(|text| self.sql(text)).collect();
        let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
        let (status, mut body) = client.batch(&statements);
        if body["code"] == "55000" {
            // The gateway connects again, because the providers could have changed.
            self.notice_backend();
        }
        self.unharmed();
        match status {
            200 => body["results"][statements.len() - 1]["rows"].take(),
            400 => body["code"].take(),
            _ => panic!("{status} {body}"),
        }
    }

    /// Mallory's request has this answer.
    #[track_caller]
    pub fn mallory_gets(&self, statements: &[&str], expected: &Value) {
        assert_eq!(self.answer(&self.mallory(), statements), *expected, "{statements:?}");
    }

    /// The same for a visitor, who sets the role `authenticated` first.
    #[track_caller]
    pub fn visitor_gets(&self, statements: &[&str], expected: &Value) {
        let statements = [&["set role authenticated"], statements].concat();
        assert_eq!(self.answer(&self.visitor(), &statements), *expected, "{statements:?}");
    }

    /// Bob and a visitor, who use the connection next, are themselves and see their own rows. The server has not crashed.
    #[track_caller]
    pub fn unharmed(&self) {
        let backend = self.backend.lock().unwrap().clone();
        let seen =
            "select current_user, session_user, auth.user_id(), (select string_agg(task, ' ' order by id) from todos),
                           pg_backend_pid()";
        let bob = json!([["authenticated", "jwt_gateway", BOB, "secret hidden", backend]]);
        assert_eq!(self.gateway.with(&self.bob).rows(seen), bob);
        let seen =
            "select current_user, auth.user_id(), (select string_agg(notice, ' ') from notices), pg_backend_pid()";
        let visitor = json!([["anonymous", null, "hello", backend]]);
        assert_eq!(self.visitor().rows(seen), visitor);
        let (status, body) = self.visitor().batch(&["set role authenticated", WHO]);
        assert_eq!((status, &body["results"][1]["rows"]), (200, &json!([[null, null]])));
    }
}
