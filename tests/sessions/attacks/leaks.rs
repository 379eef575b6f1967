//! Reading data of others: the token in views, errors and plans, and rows that policies hide.

use testkit::session::{Proxy, rejection, rows, run};

use super::deployment::{Deployment, payload, request, signed, token};
use super::ways::{MALLORY, Way, fails, in_every_way, short, value, who};

/// Asserts that a text contains neither the payload nor the signature of a token.
#[track_caller]
pub fn hides(shown: &str, token: &str) {
    for part in token.split('.').skip(1).filter(|part| part.len() > 20) {
        let line = shown.lines().find(|line| line.contains(part)).unwrap_or_default();
        assert!(line.is_empty(), "{}…", short(line));
    }
}

/// attack: 95
#[test]
fn bound_token_is_not_in_pg_stat_activity() {
    in_every_way(|deployment| {
        let token = token("alice");
        let mut alice = deployment.anyone();
        run(&mut alice, "begin");
        alice
            .execute("select auth.jwt_session_init($1, true)", &[&token])
            .unwrap();
        // Through PgBouncer mallory would wait for alice's transaction, because they share one session.
        let mut mallory = match deployment.way {
            Way::Pooled => {
                super::deployment::connect(deployment.server.port(), &deployment.database, "app", "").unwrap()
            }
            _ => deployment.mallory(),
        };
        // In other databases other tests show the same token as a literal.
        let activity = "select * from pg_stat_activity where datname = current_database()";
        let seen = format!("{:?}", rows(&mut mallory, activity));
        hides(&seen, &token);
        run(&mut alice, "rollback");
    });
}

/// attack: 95
#[test]
fn literal_token_is_visible_to_the_same_login_role() {
    // PostgreSQL shows a statement to members of the role that logged in: docs/hardening.md, "Log in as another role".
    // Through PgBouncer there would be one session, whose last statement is mallory's.
    let query =
        "select query from pg_stat_activity where query like '%jwt_session_init(''ey%' and pid <> pg_backend_pid()";
    for way in [Way::Login, Way::SetRole] {
        let deployment = Deployment::new(way);
        let token = token("alice");
        let mut alice = deployment.anyone();
        run(&mut alice, &format!("select auth.jwt_session_init('{token}')"));
        let mut mallory = deployment.anyone();
        let own = format!("{query} and datname = current_database()");
        let seen = rows(&mut mallory, &own).concat();
        assert_eq!(seen.len(), usize::from(way == Way::Login), "{way:?}");
        // Every session can return to the login role.
        run(&mut mallory, "reset role");
        let seen = rows(&mut mallory, &own).concat();
        assert_eq!(seen.len(), 1, "{way:?}");
    }
}

/// attack: 98
#[test]
fn no_rejection_shows_the_token() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        run(
            &mut client,
            "create function pg_temp.deep(token text) returns void language plpgsql as
                 $$ begin execute format('select auth.jwt_session_init(%L)', token); end $$",
        );
        for token in [
            Proxy::new().raw(r#"{"sub":"hidden"}"#),
            signed(r#"{"alg":"EdDSA","kid":"k1"}"#, r#"{"sub":"hidden","exp":"hidden"}"#),
            signed(r#"{"alg":"EdDSA","kid":"k1"}"#, &payload(r#""hidden":1e999999"#)),
            signed(r#"{"alg":"EdDSA","kid":"k1"}"#, &payload(r#""x":"hidden\u0000""#)),
            signed(r#"{"alg":"EdDSA","kid":"k1"}"#, r#"{"sub":"hidden""#),
        ] {
            for sql in [
                format!("select auth.jwt_session_init('{token}')"),
                format!("set pg_session_jwt.jwt = '{token}'"),
            ] {
                let error = client.batch_execute(&sql).unwrap_err();
                let told = format!("{:?}", error.as_db_error().unwrap());
                hides(&told, &token);
                assert!(!told.contains("hidden"), "{told}");
            }
            // When the statement contains the token, PostgreSQL returns the statement to its sender.
            let error = client
                .batch_execute(&format!("select pg_temp.deep('{token}')"))
                .unwrap_err();
            let error = error.as_db_error().unwrap();
            let told = [Some(error.message()), error.detail(), error.hint()];
            let told = told.into_iter().flatten().collect::<Vec<_>>().join("\n");
            hides(&told, &token);
            assert!(!told.contains("hidden"), "{told}");
        }
    });
}

/// attack: 102
#[test]
fn plan_shows_neither_token_nor_rows_of_others() {
    in_every_way(|deployment| {
        let mut client = deployment.anyone();
        let token = token("mallory");
        run(&mut client, &format!("select auth.jwt_session_init('{token}')"));
        for explain in [
            "explain (analyze, verbose, settings, costs off) select * from public.todos",
            "explain (analyze, verbose, settings, format json) select * from public.todos where user_id = 'mallory'",
            "explain (analyze, verbose, settings) update public.todos set task = task",
            "explain (analyze) select auth.user_id(), auth.session()",
        ] {
            let plan = format!("{:?}", rows(&mut client, explain));
            hides(&plan, &token);
            assert!(!plan.contains("secret") && !plan.contains("alice"), "{plan}");
        }
        run(&mut client, "begin");
        let fails_too = format!(
            "explain analyze select auth.jwt_session_init('{}')",
            Proxy::new().token_of("alice")
        );
        assert_eq!(rejection(&mut client, &fails_too).sqlstate, "28000");
        run(&mut client, "rollback");
    });
}

/// attack: 94
#[test]
fn leaky_function_does_not_see_rows_of_others() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        run(
            &mut client,
            "create temp table leaked (task text);
             create function pg_temp.leak(seen text) returns boolean language plpgsql cost 0.0000001 as
                 'begin insert into leaked values (seen); return true; end';
             create function pg_temp.leaks(text, text) returns boolean language sql as 'select pg_temp.leak($1)';
             create operator pg_temp.~~~ (leftarg = text, rightarg = text, function = pg_temp.leaks)",
        );
        for sql in [
            "select * from public.todos where pg_temp.leak(task)",
            "select * from public.todos where task operator(pg_temp.~~~) 'x'",
            "select * from public.todos where pg_temp.leak(task) and user_id = 'alice'",
            "select count(*) from public.todos t, public.todos u where pg_temp.leak(u.task) or t.id = u.id",
            "select * from public.todos order by pg_temp.leak(task)",
            "update public.todos set task = task where pg_temp.leak(task)",
            "delete from public.todos where pg_temp.leak(task) and false",
            "select * from public.todos where 1 / (case when task = 'secret' then 0 else 1 end) = 1",
            "select * from public.todos where task::text::int is null or task <> 'own'",
        ] {
            let result = client.simple_query(sql);
            if sql.contains("::int") {
                // Her own row is not a number, and the only one that the condition reads.
                let told = format!("{:?}", result.unwrap_err());
                assert!(told.contains("own") && !told.contains("secret"), "{told}");
            } else {
                result.unwrap();
            }
        }
        let leaked = "select string_agg(distinct task, ' ') from leaked";
        assert_eq!(value(&mut client, leaked).as_deref(), Some("own"));
        run(&mut client, "discard all");
    });
}

/// attack: 101, 106
#[test]
fn server_memory_and_files_are_not_readable() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        for sql in [
            "select * from pg_backend_memory_contexts",
            "select pg_log_backend_memory_contexts(pg_backend_pid())",
            "select * from pg_ls_logdir()",
            "select pg_read_file('log')",
            "select pg_read_binary_file('/proc/self/environ')",
            "select lo_import('/etc/passwd')",
            "copy (select 1) to program 'true'",
            "copy (select 1) to '/tmp/pg_session_jwt'",
            "load '/tmp/mallory.so'",
            "create function pg_temp.f() returns int language c as '/tmp/mallory.so'",
            "create function pg_temp.f() returns internal language internal as 'user_id_wrapper'",
            "select * from pg_authid",
            "select * from pg_statistic",
            "alter system set log_statement = 'all'",
            "set log_statement = 'all'",
            "set session_preload_libraries = 'x'",
        ] {
            fails(&mut client, sql, "42501");
        }
        assert_eq!(who(&mut client), MALLORY);
    });
}

/// attack: 103
#[test]
fn statistics_of_hidden_rows_are_not_readable() {
    in_every_way(|deployment| {
        run(&mut deployment.admin(), "analyze todos");
        let mut client = deployment.mallory();
        let stats = "select count(*) from pg_stats where tablename = 'todos'";
        assert_eq!(value(&mut client, stats).as_deref(), Some("0"));
        // A request of alice shows that there is something to see.
        let seen = request(&mut deployment.anyone(), "alice", "select count(*) from public.todos");
        assert_eq!(seen.concat(), [Some("2".to_owned())]);
    });
}
