//! The cost of the extension in a real server, as tables. `make bench` runs it; scripts/bench.sh prepares its input:
//!
//! | variable | |
//! |---|---|
//! | PG_CONFIG | the PostgreSQL in which a release build of the extension is installed |
//! | BENCH_FLOOR | benches/floor/floor.c, compiled for it |
//! | BENCH_OUTPUT | a directory for the curves |
//! | TABLES | some of the tables, such as `A D` |
//! | CURVES | not empty: also the curves (H, O) |
//! | QUICK | not empty: about a minute in all, with less certain numbers |
//!
//! Only numbers in one table are comparable, even on one machine.

mod calls;
mod curves;
mod databases;
mod loading;
mod measure;
mod plot;
mod policies;
mod presented;
mod rules;
mod transactions;
mod users;

use measure::Plan;

type Measure = fn(&Plan);

const TABLES: [(&str, Measure); 9] = [
    ("A", calls::measure),
    ("B", policies::scan),
    ("C", policies::index),
    ("D", presented::measure),
    ("F", transactions::measure),
    ("G", loading::measure),
    ("H", curves::measure),
    ("N", rules::measure),
    ("O", users::measure),
];

fn main() {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let mut chosen = variable("TABLES").to_uppercase().replace('E', "D");
    if chosen.is_empty() {
        chosen = "ABCDFGN".to_owned();
    }
    if !variable("CURVES").is_empty() {
        chosen.push_str("HO");
    }
    let plan = Plan::new(!variable("QUICK").is_empty());
    for (letter, measure) in TABLES {
        if chosen.contains(letter) {
            measure(&plan);
        }
    }
    plan.say("done");
}
