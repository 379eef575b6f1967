//! An identity that has expired gives no rows, with the rewrite or without.
//!
//! With the rewrite the error may come earlier. PostgreSQL evaluates `auth.user_id()` when it estimates the number of rows,
//! so an EXPLAIN fails, and so does a query that would read no row. The form without a sub-select does the same.

use testkit::messages;
use testkit::server::SHARED;
use testkit::session::{Proxy, init, now, one, rejection_of, rejects, run};

use super::support::{ALICE, DRIZZLE, database, optimize, set_policy};

#[test]
fn an_expired_identity_gives_no_rows() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&SHARED, &database());
    init(
        &mut client,
        &proxy.token(&format!(r#""sub":"{ALICE}","exp":{}"#, now() - 30)),
    );
    set_policy(&mut client, DRIZZLE);
    let generic = "set plan_cache_mode = force_generic_plan; prepare own as select id from todos; execute own";
    run(&mut client, generic);
    run(
        &mut client,
        "reset role; set pg_session_jwt.leeway = 0; set role authenticated",
    );
    for on in [true, false] {
        optimize(&mut client, on);
        for sql in [
            "select id from todos",
            "execute own",
            "select count(*) from todos where id = 1000",
            "select id from notes where (select auth.user_id() = user_id)",
            "select n.id from notes n left join todos t on t.id = n.todo where n.id = 1000 and t.id > 0",
            "update todos set task = 'x'",
            "delete from todos",
            "insert into todos (id, user_id) values (20001, '6f4d2f0a-5b7e-4c8e-9d51-0123456789ab')",
            "insert into todos (id) values (1000) on conflict (id) do update set task = 'x'",
        ] {
            rejects(&mut client, sql, "28000", messages::EXPIRED);
        }
        // No row is read here.
        for sql in [
            "select id from todos where id = 0",
            "select id from todos where id = 1000 limit 0",
        ] {
            match client.query(sql, &[]) {
                Ok(rows) => assert!(rows.is_empty(), "{sql}"),
                Err(error) => assert_eq!(rejection_of(&error).message, messages::EXPIRED, "{sql}"),
            }
        }
    }
    run(&mut client, "reset role");
    let changed = "select count(*) from todos where id > 20000 or task = 'x'";
    assert_eq!(
        (
            one::<i64>(&mut client, changed),
            one(&mut client, "select count(*) from todos")
        ),
        (0, 20_000_i64)
    );
}

#[test]
fn user_id_that_is_not_a_string_is_rejected_only_when_read() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&SHARED, &database());
    init(&mut client, &proxy.token(r#""sub":5"#));
    for on in [true, false] {
        optimize(&mut client, on);
        for sql in [
            "select id from notes where id < 0 and (select auth.user_id() = user_id)",
            "explain select id from notes where (select auth.user_id() = user_id)",
        ] {
            let count = client
                .query(sql, &[])
                .unwrap_or_else(|error| panic!("{on} {sql}: {error:?}"))
                .len();
            assert_eq!(count > 0, sql.starts_with("explain"), "{on} {sql}");
        }
        let asked = "select id from notes where (select auth.user_id() = user_id)";
        rejects(&mut client, asked, "28000", messages::SUB_NOT_A_STRING);
    }
}
