//! I and J: requests per second and their latency, beside the ways without the gateway.

use std::time::Duration;

use testkit::pgbouncer::PgBouncer;

use crate::contestants::{self, Contestant};
use crate::measure::{Plan, Series, number, table};
use crate::relay::Relay;
use crate::setting::{CONNECTIONS, Presented, Setting};

/// Half of the round trip's delay.
const DELAY: Duration = Duration::from_micros(2500);

/// The second contestant, whose latency the gateway's is compared with.
const ALONE: &str = "its messages alone";

type Named<'a> = (&'static str, Box<dyn Contestant + 'a>);

struct Case {
    clients: usize,
    presented: Presented,
}

struct Measured {
    per_second: Series,
    p50: Series,
    p99: Series,
}

pub fn nearby(plan: &Plan, setting: &Setting) {
    let gateway = setting.gateway(setting.server.port());
    let pgbouncer = PgBouncer::start(
        &setting.server,
        "transaction",
        &format!("default_pool_size = {CONNECTIONS}"),
    );
    let port = setting.server.port();
    let mut contestants = [
        ("gateway", contestants::http(setting, gateway.port, 1)),
        (ALONE, contestants::gateways_messages(setting, port)),
        ("`pg` of node", contestants::node(setting, port)),
        ("PgBouncer", contestants::pgbouncer(setting, pgbouncer.port)),
    ];
    compare(plan, "I. One row by its key", &mut contestants);
}

pub fn far_away(plan: &Plan, setting: &Setting) {
    let relay = Relay::start(setting.server.port(), DELAY);
    let gateway = setting.gateway(relay.port);
    let mut contestants = [
        ("gateway", contestants::http(setting, gateway.port, 1)),
        (ALONE, contestants::gateways_messages(setting, relay.port)),
        ("`pg` of node", contestants::node(setting, relay.port)),
        ("round trips", contestants::round_trips(setting, relay.port)),
    ];
    let heading = "J. The same with 5 ms of delay in front of PostgreSQL";
    compare(plan, heading, &mut contestants);
}

fn compare(plan: &Plan, heading: &str, contestants: &mut [Named<'_>]) {
    let counts: &[usize] = plan.choose(&[1, 4, 16, 64], &[1, 16]);
    let length = plan.choose(Duration::from_secs(1), Duration::from_millis(200));
    let each = |presented| counts.iter().map(move |&clients| Case { clients, presented });
    let cases: Vec<Case> = [Presented::SameToken, Presented::NewTokens]
        .into_iter()
        .flat_map(each)
        .collect();
    let competing = contestants.len();
    let mut latencies: Vec<[Vec<f64>; 2]> = vec![Default::default(); cases.len() * competing];
    let rates = plan.rounds(heading, cases.len() * competing, |index| {
        let case = &cases[index / competing];
        let contestant = &mut contestants[index % competing].1;
        let figures = contestant.turn(case.clients, case.presented, length);
        latencies[index][0].push(figures.p50);
        latencies[index][1].push(figures.p99);
        figures.per_second
    });
    let measured = rates
        .into_iter()
        .zip(latencies)
        .map(|(per_second, [p50, p99])| Measured {
            per_second,
            // The first one was the warm-up.
            p50: Series::new(&p50[1..]),
            p99: Series::new(&p99[1..]),
        });
    let measured: Vec<Measured> = measured.collect();
    let rows: Vec<(&Case, &[Measured])> = cases.iter().zip(measured.chunks(competing)).collect();
    let names: Vec<&'static str> = contestants.iter().map(|(name, _)| *name).collect();
    throughput(&format!("{heading}: requests per second"), &names, &rows);
    latency(&format!("{heading}: milliseconds, p50 and p99"), &names, &rows);
}

fn label(case: &Case) -> String {
    format!("{}, {}", case.clients, case.presented.label())
}

fn throughput(heading: &str, names: &[&str], rows: &[(&Case, &[Measured])]) {
    let ratios = names[1..].iter().map(|name| format!("ratio to {name}"));
    let columns = names.iter().map(|&name| name.to_owned()).chain(ratios);
    let columns: Vec<String> = std::iter::once("clients".to_owned()).chain(columns).collect();
    let shown = rows.iter().map(|(case, measured)| {
        let rates = measured.iter().map(|one| number(one.per_second.median()));
        let [gateway, others @ ..] = measured else {
            unreachable!("the gateway is the first");
        };
        let ratios = others
            .iter()
            .map(|other| number(gateway.per_second.ratio(&other.per_second)));
        std::iter::once(label(case)).chain(rates).chain(ratios).collect()
    });
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    table(heading, &columns, &shown.collect::<Vec<_>>());
}

fn latency(heading: &str, names: &[&str], rows: &[(&Case, &[Measured])]) {
    let more = format!("p50 more than {ALONE}");
    let columns: Vec<&str> = std::iter::once("clients")
        .chain(names.iter().copied())
        .chain([more.as_str()])
        .collect();
    let shown = rows.iter().map(|(case, measured)| {
        let both = |one: &Measured| format!("{} {}", number(one.p50.median()), number(one.p99.median()));
        // With fewer clients its latency does not contain the time in which a client waits for a connection.
        let more = match case.clients <= CONNECTIONS {
            true => number(measured[0].p50.less(&measured[1].p50).median()),
            false => String::new(),
        };
        std::iter::once(label(case))
            .chain(measured.iter().map(both))
            .chain([more])
            .collect()
    });
    table(heading, &columns, &shown.collect::<Vec<_>>());
}
