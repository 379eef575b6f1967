//! An application in database `app`, to be dumped, restored and moved.

use postgres::Client;

use testkit::server::Server;
use testkit::session::{Proxy, init, one, run};

/// An application of an ordinary database owner, with rows of alice and bob.
pub fn fill(server: &Server, owner: &mut Client, proxy: &mut Proxy) -> Vec<String> {
    let mut admin = server.connect("postgres", "postgres", "");
    run(&mut admin, "create role app login; grant authenticated to app");
    run(
        owner,
        "create table todos (id int generated always as identity, user_id text not null default (auth.user_id()),
             task text, check (coalesce(auth.user_id(), user_id) = user_id));
         alter table todos enable row level security;
         create policy reading on todos for select to authenticated using ((select auth.user_id() = todos.user_id));
         create policy writing on todos for insert to authenticated with check ((select auth.user_id()) = user_id);
         create view me with (security_invoker) as select auth.user_id() as id;
         grant select, insert on todos to authenticated; grant select on todos, me to anonymous, app",
    );
    let mut client = server.connect("app", "app", &proxy.options());
    run(&mut client, "set role authenticated");
    let tokens = ["alice", "bob"].map(|user| proxy.token_of(user));
    for token in &tokens {
        init(&mut client, token);
        run(&mut client, "insert into todos (task) values ('of ' || auth.user_id())");
    }
    tokens.to_vec()
}

/// Asserts that after the move every user has their own rows, old and new.
pub fn is_intact(server: &Server, login: &str) {
    let mut proxy = Proxy::new();
    let mut client = server.connect("app", login, &proxy.options());
    run(&mut client, "set role authenticated");
    for user in ["alice", "bob"] {
        let tasks = "select string_agg(user_id || ': ' || task, ', ') from todos";
        init(&mut client, &proxy.token_of(user));
        assert_eq!(one::<String>(&mut client, tasks), format!("{user}: of {user}"));
        run(&mut client, "begin; insert into todos (task) values ('new')");
        assert_eq!(
            one::<String>(&mut client, tasks),
            format!("{user}: of {user}, {user}: new")
        );
        run(&mut client, "rollback");
    }
    run(&mut client, "reset pg_session_jwt.jwt");
    assert_eq!(one::<i64>(&mut client, "select count(*) from todos"), 0);
}
