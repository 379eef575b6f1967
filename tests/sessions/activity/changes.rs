//! Each way to set and to lose an identity: another session sees the change at once.

use testkit::session::{now, one, rows, run, user_id};

use super::support::{ISSUER, Site, pid};

#[test]
fn row_has_all_that_is_known() {
    let mut site = Site::new();
    let mut client = site.session();
    let pid = pid(&mut client);
    let expires = now() + 3600;
    run(&mut client, "create role shown_role; set role shown_role");
    let token = site.provider.token_with(&format!(r#""sub":"alice","exp":{expires}"#));
    let before: String = one(&mut site.monitor, "select now()::text");
    run(&mut client, &format!("set pg_session_jwt.jwt = '{token}'"));
    let columns = "pid, database, role, mode, issuer, user_id, kid, extract(epoch from expires_at)::bigint, scope";
    assert_eq!(
        site.shown(&pid, columns),
        format!(
            "{pid}|{}|shown_role|provider|{ISSUER}|alice|k1|{expires}|session",
            site.database
        )
    );
    assert_eq!(site.shown(&pid, &format!("since between '{before}' and now()")), "t");
    // The row is the only one of this database.
    assert_eq!(
        rows(
            &mut site.monitor,
            &format!(
                "select pid, pg_typeof(database), pg_typeof(role) from auth.activity() where database = '{}'",
                site.database
            )
        ),
        [[Some(pid.to_string()), Some("name".to_owned()), Some("name".to_owned())]]
    );
    let since = site.shown(&pid, "since");
    // Another role is shown from the next use on; nothing else changes.
    run(&mut client, "reset role");
    assert_eq!(site.shown(&pid, "role, since"), format!("shown_role|{since}"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(site.shown(&pid, "role, since"), format!("postgres|{since}"));
    run(&mut client, "drop role shown_role");
}

#[test]
fn every_change_is_shown_at_once() {
    let mut site = Site::new();
    let mut client = site.session();
    let pid = pid(&mut client);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|user| site.token(user));
    let steps = [
        (format!("select auth.jwt_session_init('{alice}')"), "alice|session"),
        (format!("set pg_session_jwt.jwt = '{bob}'"), "bob|session"),
        (
            format!("select set_config('pg_session_jwt.jwt', '{carol}', false)"),
            "carol|session",
        ),
        ("set pg_session_jwt.jwt = ''".to_owned(), ""),
        (format!("set pg_session_jwt.jwt = '{bob}'"), "bob|session"),
        ("reset pg_session_jwt.jwt".to_owned(), ""),
        // SET LOCAL and what ends it.
        ("begin".to_owned(), ""),
        (format!("set local pg_session_jwt.jwt = '{alice}'"), "alice|transaction"),
        ("commit".to_owned(), ""),
        ("begin".to_owned(), ""),
        (
            format!("select auth.jwt_session_init('{alice}', true)"),
            "alice|transaction",
        ),
        ("savepoint a".to_owned(), "alice|transaction"),
        (
            format!("select set_config('pg_session_jwt.jwt', '{bob}', true)"),
            "bob|transaction",
        ),
        ("savepoint b".to_owned(), "bob|transaction"),
        (format!("set pg_session_jwt.jwt = '{carol}'"), "carol|session"),
        ("rollback to b".to_owned(), "bob|transaction"),
        ("release a".to_owned(), "bob|transaction"),
        ("rollback".to_owned(), ""),
        // Above an identity of the session.
        (format!("set pg_session_jwt.jwt = '{alice}'"), "alice|session"),
        ("begin".to_owned(), "alice|session"),
        (format!("set local pg_session_jwt.jwt = '{bob}'"), "bob|transaction"),
        ("commit".to_owned(), "alice|session"),
        ("begin".to_owned(), "alice|session"),
        (format!("set pg_session_jwt.jwt = '{bob}'"), "bob|session"),
        ("rollback".to_owned(), "alice|session"),
        ("begin; savepoint a".to_owned(), "alice|session"),
        ("set pg_session_jwt.jwt = ''".to_owned(), ""),
        ("rollback to a".to_owned(), "alice|session"),
        ("commit".to_owned(), "alice|session"),
        ("reset all".to_owned(), ""),
        (format!("set pg_session_jwt.jwt = '{alice}'"), "alice|session"),
        ("discard all".to_owned(), ""),
    ];
    for (step, (sql, expected)) in steps.iter().enumerate() {
        run(&mut client, sql);
        assert_eq!(site.shown(&pid, "user_id, scope"), *expected, "after step {step}");
    }
}

#[test]
fn errors_restore_the_identity_before() {
    let mut site = Site::new();
    let mut client = site.session();
    let pid = pid(&mut client);
    let [alice, bob] = ["alice", "bob"].map(|user| site.token(user));
    run(&mut client, &format!("set pg_session_jwt.jwt = '{alice}'"));
    let since = site.shown(&pid, "since");
    for set in [
        format!("set local pg_session_jwt.jwt = '{bob}'"),
        format!("set pg_session_jwt.jwt = '{bob}'"),
    ] {
        run(&mut client, &format!("begin; {set}"));
        assert_eq!(site.shown(&pid, "user_id"), "bob");
        client.batch_execute("select 1 / 0").unwrap_err();
        // The failed transaction has lost its settings already.
        assert_eq!(
            site.shown(&pid, "user_id, scope, since"),
            format!("alice|session|{since}")
        );
        run(&mut client, "rollback");
        assert_eq!(
            site.shown(&pid, "user_id, scope, since"),
            format!("alice|session|{since}")
        );
    }
    // One statement that fails after it has set the token.
    let both = format!("select set_config('pg_session_jwt.jwt', '{bob}', false), 1 / (length(auth.user_id()) - 3)");
    client.batch_execute(&both).unwrap_err();
    assert_eq!(site.shown(&pid, "user_id"), "alice");
    // A rejected token changes nothing.
    client.batch_execute("set pg_session_jwt.jwt = 'x'").unwrap_err();
    assert_eq!(site.shown(&pid, "user_id"), "alice");
}

#[test]
fn blocks_of_plpgsql_restore_the_identity_before() {
    let mut site = Site::new();
    let mut client = site.session();
    let pid = pid(&mut client);
    let [alice, bob] = ["alice", "bob"].map(|user| site.token(user));
    let own = "(select string_agg(user_id, ' ') from auth.activity() where pid = pg_backend_pid())";
    run(&mut client, "create temp table seen (id serial, who text)");
    run(
        &mut client,
        &format!(
            "set pg_session_jwt.jwt = '{alice}';
             do $$ begin
                 begin
                     perform auth.jwt_session_init('{bob}');
                     insert into seen (who) values ({own});
                     raise exception 'x';
                 exception when others then
                     insert into seen (who) values ({own});
                 end;
             end $$;
             create function pg_temp.without() returns text language plpgsql set pg_session_jwt.jwt = ''
                 as $$ begin return coalesce({own}, 'none'); end $$;
             create function pg_temp.changed() returns text language plpgsql set pg_session_jwt.jwt = ''
                 as $$ begin perform auth.jwt_session_init('{bob}', true); return {own}; end $$;"
        ),
    );
    assert_eq!(
        one::<Vec<String>>(
            &mut client,
            "select array_agg(coalesce(who, 'none') order by id) from seen where who <> 'bob'"
        ),
        ["alice"]
    );
    assert_eq!(one::<String>(&mut client, "select pg_temp.without()"), "none");
    assert_eq!(site.shown(&pid, "user_id, scope"), "alice|session");
    assert_eq!(one::<String>(&mut client, "select pg_temp.changed()"), "bob");
    assert_eq!(site.shown(&pid, "user_id, scope"), "alice|session");
}

#[test]
fn expired_identity_is_shown_with_its_end() {
    let mut site = Site::new();
    let mut client = site.session();
    let pid = pid(&mut client);
    let expires = now() - 50;
    let token = site.provider.token_with(&format!(r#""sub":"alice","exp":{expires}"#));
    run(&mut client, &format!("set pg_session_jwt.jwt = '{token}'"));
    run(&mut client, "set pg_session_jwt.leeway = 0");
    client.batch_execute("select auth.user_id()").unwrap_err();
    assert_eq!(
        site.shown(&pid, "user_id, extract(epoch from expires_at)::bigint"),
        format!("alice|{expires}")
    );
}

#[test]
fn prepared_transaction_has_no_identity() {
    let mut site = Site::new();
    let mut client = site.session();
    let [alice, bob] = ["alice", "bob"].map(|user| site.token(user));
    let pid = pid(&mut client);
    run(&mut client, "create table t (i int)");
    run(
        &mut client,
        &format!("begin; set local pg_session_jwt.jwt = '{alice}'; insert into t values (1)"),
    );
    assert_eq!(site.shown(&pid, "user_id"), "alice");
    run(&mut client, "prepare transaction 'activity'");
    assert_eq!(site.shown(&pid, "user_id"), "");
    run(&mut client, &format!("set pg_session_jwt.jwt = '{bob}'"));
    run(&mut client, "commit prepared 'activity'");
    assert_eq!(site.user_and_scope(&mut client), "bob|session");
}
