//! Typical policies: each user sees and changes only their own rows, and sessions without identity see none.

use std::io::{Read as _, Write as _};

use postgres::Client;

use testkit::messages;
use testkit::session::{Proxy, init, now, one, rejection, rejection_of, rejects, rows, run};

/// The forms of a condition on the owner of a row, the last one with a uuid column.
const FORMS: [&str; 6] = [
    "auth.user_id() = user_id",
    "(select auth.user_id()) = user_id",
    r#"(select auth.user_id() = "todos"."user_id")"#,
    "user_id = (select auth.user_id())",
    "user_id = (auth.session() ->> 'sub')",
    "user_id = (select auth.uid())::text",
];

const ALICE: &str = "6f4d2f0a-5b7e-4c8e-9d51-0123456789ab";
const BOB: &str = "6f4d2f0a-5b7e-4c8e-9d51-ba9876543210";

const TABLE: &str = "create table todos (
        id int generated always as identity primary key,
        user_id text not null default (auth.user_id()),
        task text not null,
        unique (user_id, task));
    alter table todos enable row level security;
    grant select, insert, update, delete on todos to authenticated, anonymous;";

/// The form of Drizzle's crudPolicy.
fn crud(form: &str) -> String {
    format!(
        r#"create policy "crud-authenticated-policy-select" on todos as permissive for select to authenticated using ({form});
        create policy "crud-authenticated-policy-insert" on todos as permissive for insert to authenticated with check ({form});
        create policy "crud-authenticated-policy-update" on todos as permissive for update to authenticated using ({form}) with check ({form});
        create policy "crud-authenticated-policy-delete" on todos as permissive for delete to authenticated using ({form});"#
    )
}

fn one_for_all(form: &str) -> String {
    format!("create policy own on todos to authenticated using ({form}) with check ({form});")
}

/// Creates the table again with these policies and two rows each for alice and bob. The session becomes
/// `authenticated`.
fn todos(client: &mut Client, proxy: &mut Proxy, policies: &str) {
    run(client, "reset role; reset all; drop table if exists todos");
    run(client, TABLE);
    run(client, policies);
    run(client, "set role authenticated");
    for user in [ALICE, BOB] {
        init(client, &proxy.token_of(user));
        run(client, "insert into todos (task) values ('first'), ('second')");
    }
}

#[track_caller]
fn tasks(client: &mut Client, sql: &str) -> String {
    let rows = rows(client, sql).concat().into_iter().flatten();
    rows.collect::<Vec<_>>().join(" ")
}

fn owners(client: &mut Client) -> String {
    let seen = tasks(client, "select distinct user_id from todos");
    seen.replace(ALICE, "alice").replace(BOB, "bob")
}

const VIOLATES: &str = "new row violates row-level security policy for table \"todos\"";

#[test]
fn each_user_sees_and_changes_their_own_rows_only() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for policies in FORMS.iter().flat_map(|form| [one_for_all(form), crud(form)]) {
        todos(&mut client, &mut proxy, &policies);
        assert_eq!(owners(&mut client), "bob", "{policies}");
        init(&mut client, &proxy.token_of(ALICE));
        assert_eq!(owners(&mut client), "alice", "{policies}");
        assert_eq!(tasks(&mut client, "select task from todos order by id"), "first second");
        // The client sends the condition as well.
        assert_eq!(
            one::<i64>(&mut client, "select count(*) from todos where user_id = auth.user_id()"),
            2
        );
        assert_eq!(
            one::<i64>(
                &mut client,
                &format!("select count(*) from todos where user_id = '{BOB}'")
            ),
            0
        );
        for sql in [
            format!("insert into todos (user_id, task) values ('{BOB}', 'forged')"),
            format!("update todos set user_id = '{BOB}' where task = 'first'"),
            format!("insert into todos (user_id, task) select '{BOB}', 'forged' returning id"),
        ] {
            rejects(&mut client, &sql, "42501", VIOLATES);
        }
        assert_eq!(
            tasks(&mut client, "update todos set task = task || '!' returning task"),
            "first! second!"
        );
        assert_eq!(
            tasks(&mut client, "delete from todos where task = 'first!' returning task"),
            "first!"
        );
        assert_eq!(
            tasks(
                &mut client,
                "insert into todos (task) values ('third') returning task, user_id"
            ),
            format!("third {ALICE}")
        );
        let upsert = "insert into todos (task) values ('third') on conflict (user_id, task) do update set task = 'fourth' returning task";
        assert_eq!(tasks(&mut client, upsert), "fourth");
        assert_eq!(
            tasks(
                &mut client,
                "with gone as (delete from todos returning task) select * from gone order by 1"
            ),
            "fourth second!"
        );
        run(&mut client, "reset role");
        let left = tasks(&mut client, "select task from todos order by id");
        assert_eq!(left, "first second", "what bob has, {policies}");
    }
}

#[test]
fn without_a_token_there_are_no_rows() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for form in FORMS {
        todos(&mut client, &mut proxy, &one_for_all(form));
        for leave in ["reset pg_session_jwt.jwt", "reset role; set role anonymous"] {
            init(&mut client, &proxy.token_of(ALICE));
            run(&mut client, leave);
            assert_eq!(tasks(&mut client, "select task from todos"), "", "{form}, {leave}");
            assert_eq!(
                tasks(&mut client, "update todos set task = 'x' returning task"),
                "",
                "{form}, {leave}"
            );
            assert_eq!(
                tasks(&mut client, "delete from todos returning task"),
                "",
                "{form}, {leave}"
            );
            let insert = format!("insert into todos (user_id, task) values ('{ALICE}', 'x')");
            rejects(&mut client, &insert, "42501", VIOLATES);
        }
        run(
            &mut client,
            "reset role; reset pg_session_jwt.jwt; set role authenticated",
        );
        let null = "null value in column \"user_id\" of relation \"todos\" violates not-null constraint";
        let rejected = rejection(&mut client, "insert into todos (task) values ('x')");
        assert!([VIOLATES, null].contains(&rejected.message.as_str()), "{rejected:?}");
    }
}

#[test]
fn another_user_in_the_same_transaction_has_other_rows() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for form in FORMS {
        todos(&mut client, &mut proxy, &one_for_all(form));
        let prepared = client.prepare("select distinct user_id from todos").unwrap();
        run(&mut client, "begin");
        for _ in 0..7 {
            for user in [ALICE, BOB] {
                run(
                    &mut client,
                    &format!("select auth.jwt_session_init('{}', true)", proxy.token_of(user)),
                );
                assert_eq!(
                    client.query_one(&prepared, &[]).unwrap().get::<_, &str>(0),
                    user,
                    "{form}"
                );
                assert_eq!(owners(&mut client).len(), if user == ALICE { 5 } else { 3 }, "{form}");
            }
        }
        run(&mut client, "commit");
        assert_eq!(owners(&mut client), "bob", "the last one of the session");
    }
}

/// attack: 109
#[test]
fn copy_reads_and_writes_only_own_rows() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for form in FORMS {
        todos(&mut client, &mut proxy, &one_for_all(form));
        init(&mut client, &proxy.token_of(ALICE));
        let mut out = String::new();
        client
            .copy_out("copy todos (user_id, task) to stdout")
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        assert_eq!(out, format!("{ALICE}\tfirst\n{ALICE}\tsecond\n"), "{form}");
    }
    // PostgreSQL does not copy into tables with policies, and the client's session is unusable afterwards.
    let rejected = client.copy_in("copy todos (task) from stdin").and_then(|mut writer| {
        writer.write_all(b"third\n").unwrap();
        writer.finish()
    });
    let message = rejection_of(&rejected.unwrap_err()).message;
    assert_eq!(message, "COPY FROM not supported with row-level security");
}

/// attack: 94
#[test]
fn leaky_function_does_not_see_rows_of_others() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for form in FORMS {
        todos(&mut client, &mut proxy, &one_for_all(form));
        init(&mut client, &proxy.token_of(ALICE));
        run(
            &mut client,
            "create temp table if not exists leaked (user_id text);
             truncate leaked;
             create or replace function pg_temp.leak(seen text) returns boolean language plpgsql cost 0.0000001 as
                 'begin insert into leaked values (seen); return true; end'",
        );
        for sql in [
            "select count(*) from todos where pg_temp.leak(user_id)",
            "select count(*) from todos where pg_temp.leak(user_id) and task = 'first'",
            "select count(*) from todos t join todos u on pg_temp.leak(u.user_id) and t.id = u.id",
            "update todos set task = task where pg_temp.leak(user_id)",
            "select count(*) from todos order by count(pg_temp.leak(user_id))",
        ] {
            run(&mut client, sql);
        }
        assert_eq!(
            tasks(&mut client, "select distinct user_id from leaked"),
            ALICE,
            "{form}"
        );
    }
}

/// attack: 78
#[test]
fn held_cursor_is_closed_by_a_pool_reset() {
    // A held cursor shows its rows to the next client, because PostgreSQL stored them when it evaluated the policies.
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for close in ["close all", "discard all"] {
        todos(&mut client, &mut proxy, &one_for_all(FORMS[0]));
        init(&mut client, &proxy.token_of(ALICE));
        run(
            &mut client,
            "begin; declare held cursor with hold for select user_id from todos; commit",
        );
        assert_eq!(tasks(&mut client, "fetch held"), ALICE);
        run(&mut client, close);
        init(&mut client, &proxy.token_of(BOB));
        rejects(&mut client, "fetch all held", "34000", "cursor \"held\" does not exist");
    }
}

/// attack: 82
#[test]
fn an_expired_user_is_an_error_and_not_an_empty_table() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for form in FORMS {
        todos(&mut client, &mut proxy, &one_for_all(form));
        init(
            &mut client,
            &proxy.token(&format!(r#""sub":"{ALICE}","exp":{}"#, now() - 30)),
        );
        assert_eq!(owners(&mut client), "alice");
        run(
            &mut client,
            "reset role; set pg_session_jwt.leeway = 0; set role authenticated",
        );
        for sql in [
            "select * from todos",
            "update todos set task = 'x'",
            "delete from todos",
            "insert into todos (task) values ('x')",
        ] {
            rejects(&mut client, sql, "28000", messages::EXPIRED);
        }
        run(&mut client, "reset role; reset pg_session_jwt.leeway");
    }
}
