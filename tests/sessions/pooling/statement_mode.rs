//! PgBouncer in statement mode as in docs/pooling.md: without BEGIN, with token and query in one message or one
//! function.

use postgres::types::Type;
use testkit::messages;
use testkit::pgbouncer::PgBouncer;
use testkit::session::{rejects, rows, run};

use crate::support::pooling::{PROVIDER, SEEN, SERVER, both_at_once, database};

const STATEMENTS: usize = 1000;

#[test]
fn pooler_rejects_begin() {
    let (database, pgbouncer) = (database(), PgBouncer::start(&SERVER, "statement", ""));
    let mut client = pgbouncer.connect(&database);
    client.batch_execute("begin").unwrap_err();
    // It has closed the connection, which the client may notice only now.
    client.batch_execute("select 1").unwrap_err();
    let reason = "transaction blocks not allowed in statement pooling mode";
    assert!(pgbouncer.log().contains(reason), "{}", pgbouncer.log());
}

#[test]
fn several_statements_in_one_message_are_one_transaction() {
    let (database, pgbouncer) = (database(), PgBouncer::start(&SERVER, "statement", ""));
    both_at_once(|user, theirs| {
        let mut client = pgbouncer.connect(&database);
        let (token, mut backends) = (PROVIDER.token(user), Vec::new());
        let seen = SEEN.strip_prefix("select ").unwrap();
        let message = format!(
            "set local role authenticated; select auth.jwt_session_init('{token}', true);
             select pg_backend_pid(), {seen}"
        );
        for _ in 0..STATEMENTS {
            let row = rows(&mut client, &message).swap_remove(0);
            assert_eq!(row[1].as_deref(), Some(theirs));
            backends.push(row[0].as_deref().unwrap().parse().unwrap());
            // The next message has nothing of it, and a rejected token stops the rest of its message.
            let after = rows(&mut client, "select current_user, auth.user_id()");
            assert_eq!(after, [[Some("app".to_owned()), None]]);
        }
        backends
    });
    let expired = PROVIDER.token_with(r#""sub":"alice","exp":1"#);
    let message =
        format!("set local role authenticated; select auth.jwt_session_init('{expired}', true); delete from todos");
    let mut client = pgbouncer.connect(&database);
    rejects(&mut client, &message, "28000", messages::EXPIRED);
    let mut admin = SERVER.connect(&database, "postgres", "");
    assert_eq!(rows(&mut admin, "select * from todos").len(), 3);
}

#[test]
fn a_function_takes_the_token_as_a_bound_parameter() {
    let (database, pgbouncer) = (database(), PgBouncer::start(&SERVER, "statement", ""));
    let create = "create function todos_of(token text) returns setof todos language plpgsql as $$ begin
        set local role authenticated;
        perform auth.jwt_session_init(token, true);
        return query select * from todos;
    end $$";
    run(&mut SERVER.connect(&database, "postgres", ""), create);
    let seen = SEEN.replace("from todos", "from todos_of($1)");
    let seen = format!("select pg_backend_pid(), {}", seen.strip_prefix("select ").unwrap());
    both_at_once(|user, theirs| {
        let mut client = pgbouncer.connect(&database);
        let (token, mut backends) = (PROVIDER.token(user), Vec::new());
        for _ in 0..STATEMENTS {
            let row = client.query_typed_one(&seen, &[(&token, Type::TEXT)]).unwrap();
            assert_eq!(row.get::<_, &str>(1), theirs);
            backends.push(row.get(0));
            let after = rows(&mut client, "select current_user, auth.user_id()");
            assert_eq!(after, [[Some("app".to_owned()), None]]);
        }
        backends
    });
}
