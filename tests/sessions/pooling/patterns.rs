//! The patterns of docs/pooling.md that work: two users share a connection of PgBouncer, and never see each other's
//! rows.

use postgres::types::Type;
use postgres::{Client, Transaction};

use testkit::messages;
use testkit::pgbouncer::{PgBouncer, version};
use testkit::session::{one, rejection_of, rows, run, user_id};

use crate::support::pooling::{PROVIDER, SEEN, SERVER, both_at_once, database};

const TRANSACTIONS: usize = 1000;
/// The first version with max_prepared_statements.
const FOLLOWS_PREPARED_STATEMENTS: (u32, u32) = (1, 21);

fn backend(client: &mut Client) -> i32 {
    let text = rows(client, "select pg_backend_pid()").swap_remove(0).swap_remove(0);
    text.unwrap().parse().unwrap()
}

/// Without a name, as older versions of PgBouncer require.
pub fn unnamed(transaction: &mut Transaction<'_>, sql: &str) -> Result<String, postgres::Error> {
    transaction.query_typed_one(sql, &[]).map(|row| row.get(0))
}

fn present(transaction: &mut Transaction<'_>, token: &str) -> Result<u64, postgres::Error> {
    let init = "select auth.jwt_session_init($1, true)";
    transaction.execute_typed(init, &[(&token, Type::TEXT)])
}

#[test]
fn transaction_mode_with_an_identity_for_each_transaction() {
    let (database, pgbouncer) = (database(), PgBouncer::start(&SERVER, "transaction", ""));
    both_at_once(|user, theirs| {
        let mut client = pgbouncer.connect(&database);
        let backend = backend(&mut client);
        let (token, expired) = (PROVIDER.token(user), PROVIDER.token_with(r#""sub":"alice","exp":1"#));
        for turn in 0..TRANSACTIONS {
            let mut transaction = client.transaction().unwrap();
            run_in(&mut transaction, "set local role authenticated");
            assert_eq!(unnamed(&mut transaction, SEEN).unwrap(), "", "before the token");
            // However a transaction ends, the next transaction of the other user sees nothing of it.
            if turn % 10 == 9 {
                let rejected = present(&mut transaction, &expired).unwrap_err();
                assert_eq!(rejection_of(&rejected).sqlstate, "28000");
                continue;
            }
            present(&mut transaction, &token).unwrap();
            assert_eq!(unnamed(&mut transaction, SEEN).unwrap(), theirs);
            if turn % 10 == 8 {
                run_in(&mut transaction, "update todos set task = 'of ' || auth.user_id()");
                transaction.rollback().unwrap();
            } else {
                transaction.commit().unwrap();
            }
        }
        vec![backend, self::backend(&mut client)]
    });
}

fn run_in(transaction: &mut Transaction<'_>, sql: &str) {
    transaction.batch_execute(sql).unwrap();
}

#[test]
fn transaction_mode_with_prepared_statements() {
    if version() < FOLLOWS_PREPARED_STATEMENTS {
        return; // the packaged one cannot: docs/pooling.md says what to do
    }
    let database = database();
    let pgbouncer = PgBouncer::start(&SERVER, "transaction", "max_prepared_statements = 100");
    both_at_once(|user, theirs| {
        let mut client = pgbouncer.connect(&database);
        let backend = backend(&mut client);
        let token = PROVIDER.token(user);
        let init = client.prepare("select auth.jwt_session_init($1, true)").unwrap();
        let seen = client.prepare(SEEN).unwrap();
        for _ in 0..TRANSACTIONS {
            let mut transaction = client.transaction().unwrap();
            run_in(&mut transaction, "set local role authenticated");
            transaction.execute(&init, &[&token]).unwrap();
            assert_eq!(transaction.query_one(&seen, &[]).unwrap().get::<_, &str>(0), theirs);
            transaction.commit().unwrap();
        }
        vec![backend, self::backend(&mut client)]
    });
}

#[test]
fn session_mode_with_an_identity_for_each_session() {
    let (database, pgbouncer) = (database(), PgBouncer::start(&SERVER, "session", ""));
    both_at_once(|user, theirs| {
        let token = PROVIDER.token(user);
        let mut backends = Vec::new();
        for _ in 0..TRANSACTIONS / 10 {
            let mut client = pgbouncer.connect(&database);
            let before = "select current_user || ': ' || reason from auth.status()";
            assert_eq!(
                one::<String>(&mut client, before),
                format!("app: {}", messages::NO_TOKEN)
            );
            run(&mut client, "set role authenticated");
            client.execute("select auth.jwt_session_init($1)", &[&token]).unwrap();
            let seen = client.prepare(SEEN).unwrap();
            for _ in 0..10 {
                let mut transaction = client.transaction().unwrap();
                assert_eq!(transaction.query_one(&seen, &[]).unwrap().get::<_, &str>(0), theirs);
                transaction.commit().unwrap();
            }
            assert_eq!(user_id(&mut client).as_deref(), Some(user));
            backends.push(backend(&mut client));
        }
        backends
    });
}
