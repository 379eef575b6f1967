//! Conditions that can fail: the rewrite adds no error, and reveals no value that would stay hidden without it.
//!
//! A statement that fails with the rewrite fails without it, with the same message. Without it more statements may fail:
//! once a sub-select has become an index condition, the conditions beside it are evaluated for fewer rows.

use std::collections::BTreeSet;

use postgres::{Client, SimpleQueryMessage};
use testkit::cases::check;
use testkit::messages;
use testkit::server::SHARED;
use testkit::session::{init, now, rejection_of, rejects, rows, run};
use testkit::signer::Signer;

use super::failing_conditions::KINDS;
use super::failing_rounds::{CREATE, round};
use super::support::{ALICE, optimize};

const SEED: u64 = 0xfa11_5afe_0b5e_55ed;

/// Rounds of each kind.
const ROUNDS: u32 = 4;

/// A user with rows, a user id that is a UUID, one that is not, and an anonymous session.
const USERS: [Option<&str>; 4] = [Some("alice"), Some(ALICE), Some("user_2abc"), None];

const NEW_ROW: &str = "42501 new row violates row-level security policy";

#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Rows(Vec<Vec<Option<String>>>),
    Rejected(String),
}

/// The outcome of a statement, and the values that a function with a side effect has received.
#[derive(Debug)]
struct Answer {
    outcome: Outcome,
    seen: BTreeSet<Option<String>>,
}

#[derive(Debug, Default)]
struct Figures {
    statements: usize,
    with_rows: usize,
    failed: usize,
    failed_without_only: usize,
    denied: usize,
    expired: usize,
    saw: usize,
}

/// attack: 139
#[test]
fn the_rewrite_adds_no_error_and_shows_no_value() {
    let database = SHARED.database();
    let mut client = SHARED.connect(&database, "postgres", "");
    run(&mut client, &CREATE.replace("ALICE", ALICE));
    // Loads the library, so that its hook gets the first statement.
    run(&mut client, "select auth.user_id()");
    let mut expired = expired_session(&database);
    let mut figures = Figures::default();
    for (kind, seed) in KINDS.iter().zip(SEED..) {
        check(seed, ROUNDS, &round(kind, USERS.len()), |round| {
            let setup = &round.setup;
            // What a round that failed has left is undone first.
            run(&mut client, &format!("rollback; {setup}"));
            run(&mut client, "set role authenticated");
            for (user, statements) in USERS.iter().zip(&round.statements) {
                let claims = user.map_or("reset request.jwt.claims".to_owned(), |user| {
                    format!(r#"set request.jwt.claims = '{{"sub":"{user}","level":"high"}}'"#)
                });
                run(&mut client, &claims);
                for statement in statements {
                    let context = format!("{setup}{claims};\n{statement};");
                    for sql in [&format!("explain {statement}"), statement] {
                        compare(&mut client, sql, &mut figures, &context);
                    }
                }
            }
            let statement = &round.expired;
            let context = format!("expired\n{setup}{statement};");
            for sql in [&format!("explain {statement}"), statement] {
                compare_expired(&mut expired, sql, &mut figures, &context);
            }
        });
    }
    println!("{figures:?}");
    assert!(figures.statements >= 2000 && figures.with_rows >= 200, "{figures:?}");
    assert!(figures.failed >= 130 && figures.denied >= 130, "{figures:?}");
    assert!(figures.expired >= 7 && figures.saw >= 20, "{figures:?}");
}

/// A session of a provider's user, in a database without claims, whose token has expired meanwhile.
fn expired_session(database: &str) -> Client {
    let signer = Signer::ed25519();
    let mut admin = SHARED.connect(database, "postgres", "");
    let issuer = "https://issuer.example";
    let providers = format!(r#"[{{"issuer":"{issuer}","jwks":{{"keys":[{}]}}}}]"#, signer.jwk(""));
    let role = format!("expired_in_{database}");
    run(
        &mut admin,
        &format!(
            "load 'pg_session_jwt'; create role {role} superuser login;
             alter role {role} set pg_session_jwt.providers = '{providers}'"
        ),
    );
    let mut client = SHARED.connect(database, &role, "");
    let claims = format!(
        r#"{{"iss":"{issuer}","sub":"alice","level":"high","exp":{}}}"#,
        now() - 30
    );
    init(&mut client, &signer.token("EdDSA", claims));
    run(&mut client, "set pg_session_jwt.leeway = 0; set role authenticated");
    rejects(&mut client, "select auth.user_id()", "28000", messages::EXPIRED);
    client
}

fn compare(client: &mut Client, sql: &str, figures: &mut Figures, context: &str) {
    let [without, with] = [false, true].map(|on| {
        optimize(client, on);
        answer(client, sql)
    });
    let told = || format!("{context}\n{sql}\nwithout: {without:?}\nwith: {with:?}");
    figures.statements += 1;
    match (&without.outcome, &with.outcome) {
        (Outcome::Rows(rows), same) => {
            assert_eq!(&without.outcome, same, "{}", told());
            figures.with_rows += usize::from(!rows.is_empty());
            assert!(with.seen.is_subset(&without.seen), "{}", told());
            figures.saw += usize::from(!with.seen.is_empty());
        }
        (Outcome::Rejected(_), Outcome::Rows(_)) => figures.failed_without_only += 1,
        // It failed at the check of a new row, which reveals nothing.
        (Outcome::Rejected(message), Outcome::Rejected(other)) if message != other && other.starts_with(NEW_ROW) => {
            figures.failed_without_only += 1;
        }
        // A new row failed before the table was read to its end, at a policy or at a cast in one. Any user can have the table
        // read first; both then fail alike.
        (Outcome::Rejected(message), Outcome::Rejected(other)) if message != other => {
            optimize(client, false);
            run(client, "set enable_nestloop = off; set enable_mergejoin = off");
            let table_first = answer(client, sql);
            run(client, "reset enable_nestloop; reset enable_mergejoin");
            assert_eq!(table_first.outcome, with.outcome, "{}", told());
            figures.failed += 1;
        }
        (Outcome::Rejected(message), Outcome::Rejected(same)) => {
            assert_eq!(message, same, "{}", told());
            figures.denied += usize::from(message.starts_with("42501 permission"));
            figures.failed += usize::from(!message.starts_with("42501"));
        }
    }
}

/// Only the identity itself may be rejected earlier (see `expired`).
fn compare_expired(client: &mut Client, sql: &str, figures: &mut Figures, context: &str) {
    let [without, with] = [false, true].map(|on| {
        optimize(client, on);
        answer(client, sql).outcome
    });
    if with == Outcome::Rejected(format!("28000 {}", messages::EXPIRED)) {
        figures.expired += 1;
    } else if !matches!((&without, &with), (Outcome::Rejected(_), Outcome::Rows(_))) {
        assert_eq!(without, with, "{context}\n{sql}");
    }
}

/// In a transaction that is rolled back.
fn answer(client: &mut Client, sql: &str) -> Answer {
    run(client, "begin");
    let outcome = outcome(client, sql);
    let seen = match outcome {
        Outcome::Rows(_) => rows(client, "select distinct what from seen")
            .concat()
            .into_iter()
            .collect(),
        Outcome::Rejected(_) => BTreeSet::new(),
    };
    run(client, "rollback");
    Answer { outcome, seen }
}

/// Plans are not compared, only whether there is one.
fn outcome(client: &mut Client, sql: &str) -> Outcome {
    let messages = match client.simple_query(sql) {
        Err(error) => {
            let rejection = rejection_of(&error);
            // Of several policies that a new row violates, each plan reports another one first.
            let message = rejection.message.replace(" \"less\"", "");
            return Outcome::Rejected(format!("{} {message}", rejection.sqlstate));
        }
        Ok(_) if sql.starts_with("explain") => return Outcome::Rows(Vec::new()),
        Ok(messages) => messages,
    };
    let mut rows = Vec::new();
    for message in messages {
        if let SimpleQueryMessage::Row(row) = message {
            rows.push(
                (0..row.len())
                    .map(|column| row.get(column).map(str::to_owned))
                    .collect(),
            );
        }
    }
    rows.sort();
    Outcome::Rows(rows)
}

/// Asserts the outcome of a statement, with the rewrite and without.
#[track_caller]
fn both(client: &mut Client, sql: &str, expected: &Outcome) {
    for on in [false, true] {
        optimize(client, on);
        run(client, "begin");
        assert_eq!(&outcome(client, sql), expected, "{on}: {sql}");
        run(client, "rollback");
    }
}

/// attack: 139
#[test]
fn a_cast_of_a_user_id_that_fails_stays_where_it_is_written() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(
        &mut client,
        "create table todos (id int, owner_id uuid, is_public bool); insert into todos values (1, null, true);
         create table none (like todos); create table shut (like todos);
         alter table todos enable row level security; alter table none enable row level security;
         alter table shut enable row level security; grant all on todos, none to authenticated;
         create policy p on todos using (is_public or (select auth.user_id()::uuid = owner_id));
         create policy p on none using (is_public or (select auth.user_id()::uuid = owner_id));
         create policy p on shut using (is_public or (select auth.user_id()::uuid = owner_id));
         set role authenticated; set request.jwt.claims = '{\"sub\":\"user_2abc\"}';
         select auth.user_id()",
    );
    let row = Outcome::Rows(vec![vec![Some("1".to_owned())]]);
    both(&mut client, "select id from todos", &row);
    both(&mut client, "explain select id from todos", &Outcome::Rows(Vec::new()));
    both(&mut client, "select id from none", &Outcome::Rows(Vec::new()));
    both(&mut client, "explain select id from none", &Outcome::Rows(Vec::new()));
    let denied = Outcome::Rejected("42501 permission denied for table shut".to_owned());
    both(&mut client, "select id from shut", &denied);
    both(&mut client, "insert into shut values (2, null, true)", &denied);
    // It fails where it must be evaluated.
    run(
        &mut client,
        "reset role; update todos set is_public = false; set role authenticated",
    );
    let failed = r#"22P02 invalid input syntax for type uuid: "user_2abc""#;
    both(
        &mut client,
        "select id from todos",
        &Outcome::Rejected(failed.to_owned()),
    );
}

/// attack: 139
#[test]
fn no_error_shows_a_column_that_a_costlier_condition_hides() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(
        &mut client,
        "create table docs (id int, owner text, kind text, secret text);
         insert into docs values (1, 'alice', 'num', '7'), (2, 'bob', 'word', 'hush');
         alter table docs enable row level security; grant all on docs to authenticated;
         create policy p on docs using (substr(lower(trim(upper(trim(lower(kind))))),1,3) = 'num'
             and (select (auth.user_id() = owner) = (secret::int > 0)));
         set role authenticated; set request.jwt.claims = '{\"sub\":\"alice\"}';
         select auth.user_id()",
    );
    let row = Outcome::Rows(vec![vec![Some("1".to_owned())]]);
    both(&mut client, "select id from docs", &row);
    both(&mut client, "update docs set id = id returning id", &row);
    both(&mut client, "delete from docs returning id", &row);
}
