//! Whatever the policies, the tables and the query: with the rewrite a user gets the same rows, or the same error.

use postgres::{Client, SimpleQueryMessage};
use proptest::collection::vec;
use proptest::prelude::{Strategy, prop_oneof};
use proptest::sample::select;
use testkit::cases::check;
use testkit::server::{SHARED, major};
use testkit::session::{rejection_of, run};

use super::conditions::condition;
use super::reads::{ORDERED, UNORDERED};
use super::support::{optimize, plan};
use super::tables::{CREATE, TABLES, policies};
use super::writes::{CONFLICT_19, MERGE_17, WRITES};

const SEED: u64 = 0x5eed_0f1d_e27a_11ce;
const ROUNDS: u32 = 30;

/// On average.
const QUERIES_OF_A_USER: usize = 5;

/// The greatest number of `$A` and `$B` in one query.
const CONDITIONS: usize = 4;

/// Users with rows, no user, a user without rows, and one whose name is empty.
const USERS: [Option<&str>; 5] = [Some("alice"), Some("bob"), None, Some("stranger"), Some("")];

/// Ways of PostgreSQL to run the same query.
const METHODS: [&str; 6] = [
    "enable_seqscan = off",
    "enable_hashjoin = off",
    "enable_nestloop = off",
    "enable_bitmapscan = off",
    "enable_hashagg = off",
    "jit = off",
];

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Rows(Vec<Vec<Option<String>>>),
    Rejected { sqlstate: String, message: String },
}

/// Policies, a way to run queries, and the queries of each user.
#[derive(Debug)]
struct Round {
    policies: String,
    method: &'static str,
    queries: Vec<Vec<Query>>,
}

#[derive(Debug)]
struct Query {
    sql: String,
    is_ordered: bool,
}

#[derive(Debug, Default)]
struct Figures {
    queries: usize,
    changed: usize,
    reads_with_rows: usize,
    writes: usize,
    rejected: usize,
}

#[test]
fn random_queries_under_random_policies_give_the_same() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(&mut client, CREATE);
    let mut figures = Figures::default();
    check(SEED, ROUNDS, &round(), |round| {
        let Round { policies, method, .. } = &round;
        // What a round that failed has left is undone first.
        run(
            &mut client,
            &format!("rollback; reset role; reset all; set {method}; {policies} set role authenticated"),
        );
        for (user, queries) in USERS.iter().zip(&round.queries) {
            let claims = user.map_or("reset request.jwt.claims".to_owned(), |user| {
                format!(r#"set request.jwt.claims = '{{"sub":"{user}"}}'"#)
            });
            run(&mut client, &claims);
            for query in queries {
                compare(&mut client, query, &mut figures, &|| {
                    format!("set {method};\n{policies}{claims};\n{};", query.sql)
                });
            }
        }
    });
    println!("{figures:?}");
    assert!(figures.queries >= 700 && figures.changed >= 500, "{figures:?}");
    assert!(figures.reads_with_rows >= 150 && figures.writes >= 120, "{figures:?}");
    assert!((20..200).contains(&figures.rejected), "{figures:?}");
}

fn round() -> impl Strategy<Value = Round> {
    // Each user can lose all queries when a round shrinks.
    let queries = vec(vec(query(), 0..=2 * QUERIES_OF_A_USER), USERS.len());
    (policies(), select(&METHODS), queries).prop_map(|(policies, method, queries)| Round {
        policies,
        method,
        queries,
    })
}

fn query() -> impl Strategy<Value = Query> {
    let newest = match major() {
        ..17 => WRITES.to_vec(),
        17 | 18 => MERGE_17.to_vec(),
        19.. => [&MERGE_17[..], &CONFLICT_19].concat(),
    };
    let template = prop_oneof![
        5 => select(&UNORDERED).prop_map(|template| (template, false)),
        2 => select(&ORDERED).prop_map(|template| (template, true)),
        1 => select(newest).prop_map(|template| (template, false)),
        2 => select(&WRITES).prop_map(|template| (template, false)),
    ];
    let any_condition = || prop_oneof![condition(0), condition(1), condition(2)];
    let conditions = vec(any_condition(), CONDITIONS);
    (template, select(&TABLES), select(&TABLES), 0..60_u8, conditions).prop_map(
        |((template, is_ordered), table, other, id, conditions)| {
            let mut sql = template.replace("$T", table).replace("$O", other);
            sql = sql.replace("$I", &id.to_string());
            let mut conditions = conditions.iter();
            for (index, row) in [("$A", "t"), ("$B", "u")] {
                while sql.contains(index) {
                    let condition = conditions.next().expect("CONDITIONS are enough");
                    sql = sql.replacen(index, &condition.replace('$', row), 1);
                }
            }
            if !template.starts_with("select") {
                // The first one: the rows that were written are compared as well.
                sql += &format!("; reset role; table {table}");
            }
            Query { sql, is_ordered }
        },
    )
}

fn compare(client: &mut Client, query: &Query, figures: &mut Figures, context: &dyn Fn() -> String) {
    let statement = query.sql.split("; reset role").next().unwrap();
    let [literal, optimized] = [false, true].map(|on| {
        optimize(client, on);
        (plan_or_rejection(client, statement), outcome(client, query))
    });
    assert_eq!(literal.1, optimized.1, "{}\n{}", context(), optimized.0);
    figures.queries += 1;
    figures.changed += usize::from(literal.0 != optimized.0);
    match literal.1 {
        Outcome::Rejected { .. } => figures.rejected += 1,
        // Here are always rows: those of the table then.
        Outcome::Rows(_) if query.sql.len() > statement.len() => figures.writes += 1,
        Outcome::Rows(rows) => figures.reads_with_rows += usize::from(!rows.is_empty()),
    }
}

/// The plan; the same text for every query that cannot be planned.
fn plan_or_rejection(client: &mut Client, sql: &str) -> String {
    match client.batch_execute(&format!("explain {sql}")) {
        Ok(()) => plan(client, sql),
        Err(_) => "none".to_owned(),
    }
}

fn outcome(client: &mut Client, query: &Query) -> Outcome {
    run(client, "begin");
    let answer = client.simple_query(&query.sql);
    run(client, "rollback");
    let messages = match answer {
        Ok(messages) => messages,
        Err(error) => {
            let rejection = rejection_of(&error);
            return Outcome::Rejected {
                sqlstate: rejection.sqlstate,
                // Of several rows that may not be written, each plan has another one first.
                message: rejection.message.replace("policy \"less\"", "policy"),
            };
        }
    };
    let mut rows = Vec::new();
    for message in messages {
        if let SimpleQueryMessage::Row(row) = message {
            let values = (0..row.len()).map(|column| row.get(column).map(str::to_owned));
            rows.push(values.collect::<Vec<_>>());
        }
    }
    if !query.is_ordered {
        rows.sort();
    }
    Outcome::Rows(rows)
}
