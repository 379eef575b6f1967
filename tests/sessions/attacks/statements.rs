//! Statements without an identity, several in one message, and unusual calls.

use testkit::session::{Proxy, rejection, rows, run};

use super::deployment::{session_init, token};
use super::ways::{ANONYMOUS, MALLORY, Way, fails, in_every_way, value, who};
use super::wire::{Wire, result, sqlstate};

/// attack: 81, 86
#[test]
fn no_identity_sees_no_rows() {
    in_every_way(|deployment| {
        let mut client = deployment.anyone();
        let nothing = "select concat_ws(' ', auth.user_id(), auth.uid(), auth.organization(), auth.organization_id(),
                                        auth.role(), auth.email(), auth.session() ->> 'sub', auth.jwt() ->> 'sub')";
        assert_eq!(value(&mut client, nothing).as_deref(), Some(""));
        for sql in [
            "select task from public.todos",
            "update public.todos set task = 'x' returning task",
            "delete from public.todos returning task",
            "select task from public.todos where user_id = 'alice' or auth.user_id() is null",
            "select task from public.todos for update",
        ] {
            assert_eq!(rows(&mut client, sql), Vec::<Vec<Option<String>>>::new(), "{sql}");
        }
        for insert in [
            "insert into public.todos (user_id, task) values ('alice', 'forged')",
            "insert into public.todos (user_id, task) values ('alice', 'secret') on conflict (user_id, task) do update set task = 'x'",
        ] {
            fails(&mut client, insert, "42501");
        }
        // Without an identity the default has no value.
        let sqlstate = rejection(&mut client, "insert into public.todos (task) values ('x')").sqlstate;
        assert!(["23502", "42501"].contains(&sqlstate.as_str()), "{sqlstate}");
        assert_eq!(who(&mut client), ANONYMOUS);
        let all = "select string_agg(user_id || ' ' || task, ', ' order by id) from todos";
        assert_eq!(
            value(&mut deployment.admin(), all).as_deref(),
            Some("alice secret, mallory own, alice hidden")
        );
    });
}

/// attack: 81
#[test]
fn no_statement_reaches_the_rows_of_others() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        for sql in [
            "select task from only public.todos where user_id = 'alice'",
            "select task from public.todos where ctid = '(0,1)'",
            "select task from public.todos tablesample system (100) where task <> 'own'",
            "select task from public.todos where task <> 'own' for update skip locked",
            "select t.task from public.todos t right join public.todos u on t.id <> u.id where t.task is not null",
            "select task from public.todos where user_id = 'alice' or true except select 'own'",
            "with recursive r as (select task from public.todos union select task from public.todos) select * from r where task <> 'own'",
            "update public.todos set task = 'x' where user_id = 'alice' returning task",
            "update public.todos t set task = 'own' from public.todos u where u.user_id = 'alice' returning u.task",
            "delete from public.todos using (values ('alice')) v (u) where user_id = u returning task",
            "merge into public.todos t using (values ('alice')) v (u) on t.user_id = u
                 when matched then update set task = 'x' when not matched then do nothing",
        ] {
            assert_eq!(rows(&mut client, sql), Vec::<Vec<Option<String>>>::new(), "{sql}");
        }
        for sql in [
            "insert into public.todos (user_id, task) values ('alice', 'forged')",
            "insert into public.todos (user_id, task) select 'alice', 'forged' returning task",
            "update public.todos set user_id = 'alice'",
            "merge into public.todos t using (values ('alice')) v (u) on t.user_id = u
                 when matched then delete when not matched then insert (user_id, task) values ('alice', 'forged')",
            "insert into public.todos (user_id, task) values ('alice', 'secret') on conflict (user_id, task) do nothing",
            "create temp table child () inherits (public.todos)",
            "create publication spy for table public.todos",
            "select pg_create_logical_replication_slot('spy', 'test_decoding')",
        ] {
            fails(&mut client, sql, "42501");
        }
        let all = "select string_agg(user_id || ' ' || task, ', ' order by id) from todos";
        assert_eq!(
            value(&mut deployment.admin(), all).as_deref(),
            Some("alice secret, mallory own, alice hidden")
        );
    });
}

/// attack: 88
#[test]
fn rejected_token_stops_the_rest_of_its_message() {
    in_every_way(|deployment| {
        let bad = Proxy::new().token_of("alice");
        let mut client = deployment.mallory();
        for sql in [
            format!("select auth.jwt_session_init('{bad}'); insert into public.todos (task) values ('after')"),
            format!("insert into public.todos (task) values ('before'); select auth.jwt_session_init('{bad}')"),
            format!(
                "begin; insert into public.todos (task) values ('before'); set pg_session_jwt.jwt = '{bad}'; commit"
            ),
        ] {
            let rejected = rejection(&mut client, &sql);
            assert_eq!(rejected.sqlstate, "28000", "{sql}");
            run(&mut client, "rollback");
            assert_eq!(who(&mut client), MALLORY, "{sql}");
        }
        // A later error undoes the identity that the same message set.
        run(&mut client, "reset pg_session_jwt.jwt");
        rejection(&mut client, &format!("{}; select 1 / 0", session_init("mallory")));
        assert_eq!(who(&mut client), ANONYMOUS);
    });
}

/// attack: 108
#[test]
fn statements_without_policies_are_not_granted() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        for sql in [
            "truncate public.todos",
            "alter table public.todos disable row level security",
            "alter table public.todos owner to authenticated",
            "create policy open on public.todos using (true)",
            "alter policy own on public.todos using (true)",
            "drop policy own on public.todos",
            "create trigger spy before insert on public.todos for each row execute function suppress_redundant_updates_trigger()",
            "create rule spy as on select to public.todos do instead select 1",
            "create table public.mine (id int references public.todos)",
            "create statistics public.s on user_id, task from public.todos",
            "select last_value from public.todos_id_seq",
            "select nextval('public.todos_id_seq')",
            "set row_security = off; select * from public.todos",
            "create schema mine",
        ] {
            fails(&mut client, sql, "42501");
        }
        assert_eq!(who(&mut client), MALLORY);
    });
}

/// attack: 93
#[test]
fn the_fast_path_calls_the_same_functions() {
    in_every_way(|deployment| {
        if deployment.way == Way::Pooled {
            return; // PgBouncer knows no function calls.
        }
        let number = |function: &str| -> u32 {
            let sql = format!("select 'auth.{function}'::regprocedure::oid");
            value(&mut deployment.admin(), &sql).unwrap().parse().unwrap()
        };
        let user = if deployment.way == Way::Login {
            "authenticated"
        } else {
            "app"
        };
        let mut wire = Wire::connect(deployment.server.port(), &deployment.database, user);
        wire.query("set role authenticated");
        for reader in [
            "user_id()",
            "uid()",
            "organization()",
            "organization_id()",
            "role()",
            "email()",
        ] {
            assert_eq!(result(&wire.call(number(reader), &[])), None, "{reader}");
        }
        for reader in ["session()", "jwt()"] {
            assert_eq!(result(&wire.call(number(reader), &[])).as_deref(), Some("null"));
        }
        let init = number("jwt_session_init(text)");
        assert_eq!(sqlstate(&wire.call(init, &[&Proxy::new().token_of("alice")])), "28000");
        assert_eq!(sqlstate(&wire.call(init, &[""])), "28000");
        assert_eq!(result(&wire.call(number("user_id()"), &[])), None);
        wire.call(init, &[&token("mallory")]);
        assert_eq!(result(&wire.call(number("user_id()"), &[])).as_deref(), Some("mallory"));
        // Set-returning functions are called in queries only.
        assert_eq!(sqlstate(&wire.call(number("status()"), &[])), "0A000");
        assert_eq!(sqlstate(&wire.call(number("providers()"), &[])), "0A000");
        assert_eq!(result(&wire.call(number("user_id()"), &[])).as_deref(), Some("mallory"));
    });
}

/// attack: 93
#[test]
fn stored_expressions_cannot_depend_on_the_identity() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        for sql in [
            "create temp table t (x text generated always as (auth.user_id()) stored)",
            "create temp table t (x text); create index on t ((auth.user_id()))",
            "create temp table t (x text); create index on t (x) where auth.user_id() = x",
            "create temp table t (x text) partition by list ((auth.user_id()))",
        ] {
            let rejected = rejection(&mut client, sql);
            assert!(
                ["42P17", "42P16"].contains(&rejected.sqlstate.as_str()),
                "{sql}: {rejected:?}"
            );
        }
        let rejected = rejection(&mut client, "call auth.user_id()");
        assert_eq!(rejected.sqlstate, "42809");
        assert_eq!(who(&mut client), MALLORY);
    });
}

/// attack: 93
#[test]
fn defaults_domains_and_checks_read_the_current_identity() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        run(
            &mut client,
            "create temp table t (by_default text default auth.user_id(), check (by_default = auth.user_id()));
             insert into t default values",
        );
        let forged = rejection(&mut client, "insert into t values ('alice')");
        assert_eq!(forged.sqlstate, "23514");
        assert_eq!(
            value(&mut client, "select by_default from t").as_deref(),
            Some("mallory")
        );
        run(&mut client, "drop table t");
    });
}
