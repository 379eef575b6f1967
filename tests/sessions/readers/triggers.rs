//! Calls by PostgreSQL itself: defaults, triggers, checks, views, and at login.

use testkit::server::{Server, major};
use testkit::session::{Proxy, init, one, rejects, run};

#[test]
fn defaults_triggers_checks_and_views_have_the_identity() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(
        &mut client,
        "create table made (
             by_default text default auth.user_id(), by_trigger text, by_definer text, by_identity uuid default auth.uid(),
             check (by_default = auth.user_id()));
         create function by_trigger() returns trigger language plpgsql as
             'begin new.by_trigger := auth.user_id(); return new; end';
         create function by_definer() returns trigger language plpgsql security definer as
             'begin new.by_definer := auth.user_id(); return new; end';
         create trigger a before insert on made for each row execute function by_trigger();
         create trigger b before insert on made for each row execute function by_definer();
         create view mine as select * from made where by_default = auth.user_id();
         create view mine_as_invoker with (security_invoker) as select * from made where by_default = auth.user_id();
         grant select, insert on made, mine, mine_as_invoker to authenticated;
         set role authenticated",
    );
    for user in ["alice", "bob"] {
        init(&mut client, &proxy.token_of(user));
        run(
            &mut client,
            "insert into made default values; insert into mine default values",
        );
        for source in ["mine", "mine_as_invoker"] {
            let seen =
                format!("select string_agg(concat_ws(' ', by_default, by_trigger, by_definer), ', ') from {source}");
            assert_eq!(
                one::<String>(&mut client, &seen),
                format!("{user} {user} {user}, {user} {user} {user}")
            );
        }
    }
    let message = "new row for relation \"made\" violates check constraint \"made_by_default_check\"";
    rejects(
        &mut client,
        "insert into made (by_default) values ('alice')",
        "23514",
        message,
    );
}

#[test]
fn deferred_triggers_have_the_identity_at_commit() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(
        &mut client,
        "create table made (id int);
         create table seen (who text);
         create function note() returns trigger language plpgsql as
             'begin insert into seen values (auth.user_id()); return null; end';
         create constraint trigger late after insert on made deferrable initially deferred
             for each row execute function note()",
    );
    run(&mut client, "begin");
    run(
        &mut client,
        &format!("select auth.jwt_session_init('{}', true)", proxy.token_of("alice")),
    );
    run(&mut client, "insert into made values (1); commit");
    run(&mut client, "insert into made values (2)");
    assert_eq!(
        one::<String>(&mut client, "select string_agg(coalesce(who, '(none)'), ' ') from seen"),
        "alice (none)"
    );
}

/// attack: 72
#[test]
fn login_trigger_sees_only_the_startup_packets_user() {
    if major() < 17 {
        return; // Login triggers came with 17.
    }
    let server = Server::start("");
    let database = server.database();
    run(
        &mut server.connect(&database, "postgres", ""),
        "create table seen (who text);
         create function note() returns event_trigger language plpgsql as
             'begin insert into public.seen values (coalesce(auth.user_id(), ''(none)'')); end';
         create event trigger at_login on login execute function note();
         alter event trigger at_login enable always",
    );
    let mut proxy = Proxy::new();
    let token = proxy.token_of("alice");
    proxy.session_on(&server, &database);
    server.connect(
        &database,
        "postgres",
        &format!("{} -c pg_session_jwt.jwt={token}", proxy.options()),
    );
    let mut client = server.connect(&database, "postgres", r#"-c request.jwt.claims={"sub":"bob"}"#);
    assert_eq!(
        one::<String>(&mut client, "select string_agg(who, ' ') from seen"),
        "(none) alice bob"
    );
}
