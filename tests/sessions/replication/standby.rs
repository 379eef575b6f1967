//! A hot standby, where nothing can be written, not even a transaction id.

use testkit::messages;
use testkit::server::Server;
use testkit::session::{Proxy, init, one, rejects, run, user_id};

/// attack: 131
#[test]
fn identities_are_set_and_read_on_a_standby() {
    let mut server = Server::start("");
    let database = server.database();
    run(
        &mut server.connect(&database, "postgres", ""),
        "create table owned (user_id text); insert into owned values ('alice'), ('bob');
         alter table owned enable row level security;
         create policy own_rows on owned to authenticated using (auth.user_id() = user_id);
         grant select on owned to authenticated",
    );
    std::fs::write(server.directory().join("data/standby.signal"), "").unwrap();
    server.restart();

    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&server, &database);
    assert!(one::<bool>(&mut client, "select pg_is_in_recovery()"));
    run(&mut client, "select auth.init(); set role authenticated");
    for user in ["alice", "bob"] {
        init(&mut client, &proxy.token_of(user));
        assert_eq!(user_id(&mut client).as_deref(), Some(user));
        assert_eq!(
            one::<String>(&mut client, "select string_agg(user_id, ',') from owned"),
            user
        );
    }
    let bad = format!("select auth.jwt_session_init('{}')", Proxy::new().token_of("alice"));
    rejects(&mut client, &bad, "28000", messages::INVALID_SIGNATURE);
    run(&mut client, "reset all");
    assert_eq!(user_id(&mut client), None);

    let mut client = server.connect(&database, "postgres", "");
    assert_eq!(user_id(&mut client), None);
    run(
        &mut client,
        r#"set role authenticated; set request.jwt.claims = '{"sub":"alice"}'"#,
    );
    assert_eq!(
        one::<String>(&mut client, "select string_agg(user_id, ',') from owned"),
        "alice"
    );
    assert_eq!(one::<String>(&mut client, "select mode from auth.status()"), "claims");
}
