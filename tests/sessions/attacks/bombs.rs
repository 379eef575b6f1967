//! Tokens and statements that try to exhaust the server: too deep, too long, too large, too many.

use testkit::session::{rejection, rows, run};

use super::deployment::{Deployment, session_init, token, victim};
use super::ways::{MALLORY, Way, fails, in_every_way, value, who};

/// After a crash of the server this session would be a new one.
fn process(client: &mut postgres::Client) -> Option<String> {
    value(client, "select pg_backend_pid()")
}

/// attack: 23, 24, 48, 49, 50
#[test]
fn signed_bomb_is_rejected() {
    let bombs = victim().bombs();
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        let before = process(&mut client);
        for bomb in &bombs {
            for sql in [
                format!("select auth.jwt_session_init('{bomb}')"),
                format!("set pg_session_jwt.jwt = '{bomb}'"),
            ] {
                fails(&mut client, &sql, "28000");
            }
        }
        assert_eq!(process(&mut client), before);
        assert_eq!(who(&mut client), MALLORY);
    });
}

/// attack: 26
#[test]
fn oversized_text_is_rejected_for_its_length() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        let before = process(&mut client);
        for sql in [
            "select auth.jwt_session_init(repeat('a', 65537))",
            "select auth.jwt_session_init(repeat('a.', 20000000))",
            "select auth.jwt_session_init(repeat('e30.', 100000), true)",
            "select set_config('pg_session_jwt.jwt', repeat('a', 10000000), false)",
        ] {
            fails(&mut client, sql, "28000");
        }
        // Just below the limit, with as many members as fit.
        let token = victim().with_many_members();
        run(&mut client, &format!("select auth.jwt_session_init('{token}')"));
        assert_eq!(who(&mut client), MALLORY);
        let last = value(&mut client, "select auth.session() ->> 'm3799'");
        assert_eq!(last.as_deref(), Some("3799"));
        assert_eq!(process(&mut client), before);
    });
}

/// attack: 111
#[test]
fn a_loop_of_tokens_can_be_cancelled() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        run(&mut client, "set statement_timeout = '200ms'");
        let (good, bad) = (token("mallory"), format!("{}x", token("mallory")));
        // Row by row: a function in FROM would return all rows before the first is inspected.
        let rows = "select count(*) from (select generate_series(1, 2000000000) i) endless where";

        for sql in [
            format!("{rows} auth.jwt_session_init('{good}') is null"),
            format!(
                "do $$ begin loop
                     begin perform auth.jwt_session_init('{bad}'); exception when others then null; end;
                 end loop; end $$"
            ),
            format!("do $$ begin loop perform set_config('pg_session_jwt.jwt', '{good}', true); end loop; end $$"),
            format!("{rows} auth.session() ->> i::text is not null"),
            format!("{rows} (select issuer from auth.status() where i > 0) is null"),
        ] {
            assert_eq!(rejection(&mut client, &sql).sqlstate, "57014", "{sql}");
        }
        run(&mut client, "set statement_timeout = 0");
        assert_eq!(who(&mut client), MALLORY);
    });
}

/// attack: 73
#[test]
fn deeply_nested_subtransactions_restore_the_first_identity() {
    in_every_way(|deployment| {
        let mut client = deployment.mallory();
        let (other, mallory) = (token("other"), session_init("mallory"));
        run(
            &mut client,
            "create function pg_temp.deeper(token text, depth int) returns void language plpgsql as $$
             begin
                 perform auth.jwt_session_init(token, depth % 2 = 0);
                 if depth > 0 then perform pg_temp.deeper(token, depth - 1); else raise 'bottom'; end if;
             exception when raise_exception then
                 if depth < 200 then raise 'up'; end if;
             end $$",
        );
        run(&mut client, &format!("select pg_temp.deeper('{other}', 200)"));
        assert_eq!(who(&mut client), MALLORY);
        let savepoints = (0..500)
            .map(|i| {
                format!(
                    "savepoint s{i}; select auth.jwt_session_init('{other}', {})",
                    i % 2 == 0
                )
            })
            .collect::<Vec<_>>()
            .join("; ");
        run(&mut client, &format!("begin; {savepoints}; rollback to s0; commit"));
        assert_eq!(who(&mut client), MALLORY);
        run(&mut client, &format!("begin; {savepoints}; rollback"));
        assert_eq!(who(&mut client), MALLORY);
        run(&mut client, &mallory);
    });
}

/// attack: 111
#[test]
fn policy_is_evaluated_within_the_stack_limit() {
    // Once, because PostgreSQL's stack depth is the same in every way.
    let deployment = Deployment::new(Way::SetRole);
    let mut client = deployment.mallory();
    let before = process(&mut client);
    run(
        &mut client,
        "create function pg_temp.down(n int) returns int language plpgsql as
             $$ begin perform auth.user_id(), auth.session(), count(*) from public.todos; return pg_temp.down(n + 1); end $$",
    );
    assert_eq!(rejection(&mut client, "select pg_temp.down(0)").sqlstate, "54001");
    assert_eq!(process(&mut client), before);
    assert_eq!(who(&mut client), MALLORY);
}

/// attack: 23
#[test]
fn bomb_in_request_claims_gives_no_identity() {
    // Claims mode, where any client can set claims. A role or a pooler between does not change the text.
    let database = testkit::server::SHARED.database();
    let mut client = testkit::server::SHARED.connect(&database, "postgres", "");
    let before = process(&mut client);
    let nested = |open: &str, close: &str, depth: usize| {
        format!(
            r#"{{"sub":"alice","x":{}1{}}}"#,
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    for bomb in [
        nested("[", "]", 100_000),
        nested(r#"{"a":"#, "}", 100_000),
        "[".repeat(1_000_000),
        format!(r#"{{"sub":"alice","x":{}}}"#, "9".repeat(200_000)),
        r#"{"sub":"alice","x":1e400000}"#.to_owned(),
        r#"{"sub":"alice","x":1e-400000}"#.to_owned(),
        r#"{"sub":"alice\u0000"}"#.to_owned(),
        r#"{"sub":"\ud834"}"#.to_owned(),
    ] {
        run(&mut client, &format!("set request.jwt.claims = '{bomb}'"));
        let seen = rows(
            &mut client,
            "select auth.user_id(), auth.session()::text, auth.jwt()::text",
        );
        assert_eq!(
            seen,
            [[None, Some("null".to_owned()), Some("null".to_owned())]],
            "{}",
            super::ways::short(&bomb)
        );
    }
    assert_eq!(process(&mut client), before);
}
