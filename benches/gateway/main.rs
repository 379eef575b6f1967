//! The gateway beside what an application could use in its place, as tables. `make bench` runs it; scripts/bench.sh prepares
//! its input:
//!
//! | variable | |
//! |---|---|
//! | PG_CONFIG | the PostgreSQL in which a release build of the extension is installed |
//! | BENCH_GATEWAY | a release build of the gateway |
//! | BENCH_NODE | a directory with node.mjs and node's `pg` |
//! | TABLES | some of the tables, such as `I K` |
//! | QUICK | not empty: about a minute in all, with less certain numbers |
//!
//! Clients, gateway and PostgreSQL share the processors of one machine. Only numbers in one table are comparable.

mod clean_up;
mod contestants;
mod http;
mod idle;
mod load;
#[path = "../sql/measure.rs"]
#[allow(dead_code, reason = "the bench `sql` uses the rest")]
mod measure;
mod node;
mod relay;
mod requests;
mod round_trips;
mod setting;
mod wire;

use measure::Plan;
use setting::Setting;

type Measure = fn(&Plan, &Setting);

/// The letters follow those of the bench `sql`.
const TABLES: [(&str, Measure); 5] = [
    ("I", requests::nearby),
    ("J", requests::far_away),
    ("K", round_trips::measure),
    ("L", idle::measure),
    ("M", clean_up::measure),
];

fn main() {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let chosen = variable("TABLES").to_uppercase();
    let plan = Plan::new(!variable("QUICK").is_empty());
    let setting = Setting::start();
    for (letter, measure) in TABLES {
        if chosen.is_empty() || chosen.contains(letter) {
            measure(&plan, &setting);
        }
    }
    plan.say("done");
}
