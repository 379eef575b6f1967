//! Two users who share one connection of PgBouncer.

use std::sync::LazyLock;

use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::run;

pub static PROVIDER: LazyLock<Provider> = LazyLock::new(|| Provider::new("https://id.example/"));

/// The library preloaded, and the provider in postgresql.conf.
pub static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let providers = format!("[{}]", PROVIDER.entry(r#","roles":"authenticated""#));
    let server = Server::start(&format!(
        "shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.providers = '{providers}'"
    ));
    let mut admin = server.connect("template1", "postgres", "");
    run(
        &mut admin,
        "create role app login noinherit; grant authenticated to app",
    );
    server
});

/// A database with the rows `a1` and `a2` of alice, and `b1` of bob.
pub fn database() -> String {
    let database = SERVER.database();
    run(
        &mut SERVER.connect(&database, "postgres", ""),
        "create table todos (id bigint generated always as identity primary key,
             user_id text not null default (auth.user_id()), task text not null);
         alter table todos enable row level security;
         create policy own_todos on todos to authenticated
             using ((select auth.user_id()) = user_id) with check ((select auth.user_id()) = user_id);
         grant select, insert, update, delete on todos to authenticated;
         insert into todos (user_id, task) values ('alice', 'a1'), ('bob', 'b1'), ('alice', 'a2')",
    );
    database
}

/// The two users, and the rows that each may see.
pub const USERS: [(&str, &str); 2] = [("alice", "alice:a1 alice:a2"), ("bob", "bob:b1")];

pub const SEEN: &str = "select coalesce(string_agg(user_id || ':' || task, ' ' order by id), '') from todos";

/// Runs the work of both users concurrently, each with a connection to the pooler. Both share one server connection,
/// unless `work` returns another list of backends.
pub fn both_at_once(work: impl Fn(&str, &str) -> Vec<i32> + Sync) {
    let work = &work;
    let backends: Vec<Vec<i32>> = std::thread::scope(|scope| {
        let users = USERS.map(|(user, theirs)| scope.spawn(move || work(user, theirs)));
        users.into_iter().map(|user| user.join().unwrap()).collect()
    });
    let mut backends = backends.concat();
    backends.dedup();
    assert_eq!(backends.len(), 1, "more than one connection to the server");
}
