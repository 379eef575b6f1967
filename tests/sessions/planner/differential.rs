//! Whatever the policies, the tables and the query: with the rewrite a user gets the same rows, or the same error.

use postgres::{Client, SimpleQueryMessage};
use testkit::server::{SHARED, major};
use testkit::session::{refusal_of, run};

use super::conditions::condition;
use super::reads::{ORDERED, UNORDERED};
use super::support::{optimize, plan};
use super::tables::{CREATE, TABLES, policies};
use super::writes::{MERGE_17, WRITES};
use super::xorshift::Xorshift;

const SEED: u64 = 0x5eed_0f1d_e27a_11ce;
const ROUNDS: usize = 30;
const QUERIES_OF_A_USER: usize = 5;

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
    Refused { sqlstate: String, message: String },
}

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
    refused: usize,
}

#[test]
fn random_queries_under_random_policies_give_the_same() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(&mut client, CREATE);
    let mut random = Xorshift(SEED);
    let mut figures = Figures::default();
    for round in 0..ROUNDS {
        let policies = policies(&mut random);
        let method = random.pick(&METHODS);
        run(
            &mut client,
            &format!("reset role; reset all; set {method}; {policies} set role authenticated"),
        );
        for user in USERS {
            let claims = user.map_or("reset request.jwt.claims".to_owned(), |user| {
                format!(r#"set request.jwt.claims = '{{"sub":"{user}"}}'"#)
            });
            run(&mut client, &claims);
            for _ in 0..QUERIES_OF_A_USER {
                let query = query(&mut random);
                compare(&mut client, &query, &mut figures, &|| {
                    format!(
                        "seed {SEED:#x}, round {round}\nset {method};\n{policies}{claims};\n{};",
                        query.sql
                    )
                });
            }
        }
    }
    println!("{figures:?}");
    assert_eq!(figures.queries, ROUNDS * USERS.len() * QUERIES_OF_A_USER);
    assert!(figures.queries >= 700 && figures.changed >= 500, "{figures:?}");
    assert!(figures.reads_with_rows >= 150 && figures.writes >= 120, "{figures:?}");
    assert!((20..200).contains(&figures.refused), "{figures:?}");
}

fn query(random: &mut Xorshift) -> Query {
    let mut is_ordered = false;
    let template = match random.below(10) {
        0..5 => random.pick(&UNORDERED),
        5..7 => {
            is_ordered = true;
            random.pick(&ORDERED)
        }
        7 if major() >= 17 => random.pick(&MERGE_17),
        _ => random.pick(&WRITES),
    };
    let table = random.pick(&TABLES);
    let mut sql = template.replace("$T", table).replace("$O", random.pick(&TABLES));
    sql = sql.replace("$I", &random.below(60).to_string());
    for (place, row) in [("$A", "t"), ("$B", "u")] {
        while sql.contains(place) {
            let levels = random.below(3);
            sql = sql.replacen(place, &condition(random, row, levels), 1);
        }
    }
    if !template.starts_with("select") {
        // The first one: what was written is compared, too.
        sql += &format!("; reset role; table {table}");
    }
    Query { sql, is_ordered }
}

fn compare(client: &mut Client, query: &Query, figures: &mut Figures, context: &dyn Fn() -> String) {
    let statement = query.sql.split("; reset role").next().unwrap();
    let [literal, optimized] = [false, true].map(|on| {
        optimize(client, on);
        (plan_or_refusal(client, statement), outcome(client, query))
    });
    assert_eq!(literal.1, optimized.1, "{}\n{}", context(), optimized.0);
    figures.queries += 1;
    figures.changed += usize::from(literal.0 != optimized.0);
    match literal.1 {
        Outcome::Refused { .. } => figures.refused += 1,
        // Here are always rows: those of the table then.
        Outcome::Rows(_) if query.sql.len() > statement.len() => figures.writes += 1,
        Outcome::Rows(rows) => figures.reads_with_rows += usize::from(!rows.is_empty()),
    }
}

/// The plan; the same text for every query that cannot be planned.
fn plan_or_refusal(client: &mut Client, sql: &str) -> String {
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
            let refusal = refusal_of(&error);
            return Outcome::Refused {
                sqlstate: refusal.sqlstate,
                // Of several rows that may not be written, each plan has another one first.
                message: refusal.message.replace("policy \"less\"", "policy"),
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
