//! M: what the clean-up after each request costs PostgreSQL: the gateway's one statement, or the list of its parts.

use std::time::Duration;

use crate::contestants;
use crate::measure::{Plan, number, table};
use crate::setting::{Presented, Setting};
use crate::wire::DISCARD_ALL;

/// What DISCARD ALL does, by its documentation.
const PARTS: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *; \
                     SELECT pg_advisory_unlock_all(); DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES";

const COUNTS: [usize; 2] = [1, 4];

pub fn measure(plan: &Plan, setting: &Setting) {
    let heading = "M. Transactions per second by their clean-up, pipelined";
    let length = plan.choose(Duration::from_secs(1), Duration::from_millis(200));
    let port = setting.server.port();
    let mut ways = [
        ("none", contestants::pipelined(setting, port, "")),
        ("`DISCARD ALL`", contestants::pipelined(setting, port, DISCARD_ALL)),
        ("its parts", contestants::pipelined(setting, port, PARTS)),
    ];
    let competing = ways.len();
    let rates = plan.rounds(heading, COUNTS.len() * competing, |index| {
        let way = &mut ways[index % competing].1;
        way.turn(COUNTS[index / competing], Presented::SameToken, length)
            .per_second
    });
    let row = |(index, rate): (usize, &crate::measure::Series)| {
        let first = index / competing * competing;
        vec![
            format!("{}, {}", COUNTS[index / competing], ways[index % competing].0),
            number(rate.median()),
            number(rate.ratio(&rates[first])),
            number(rate.ratio(&rates[first + 1])),
        ]
    };
    let shown: Vec<_> = rates.iter().enumerate().map(row).collect();
    table(
        heading,
        &["clients, clean-up", "tps", "ratio to none", "to `DISCARD ALL`"],
        &shown,
    );
}
