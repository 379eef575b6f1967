//! A: the processor time of one function call, less that of a constant in its place.

use postgres::Client;
use testkit::issuer::{ISSUER, ME, claims, members, token};
use testkit::session::{init, rows, run};

use crate::databases::{CLAIMS_MODE, PROVIDER_MODE, session, set_claims};
use crate::measure::{Plan, Processor, number, table};

struct Call {
    expression: &'static str,
    label: &'static str,
    /// The index of the call that it is compared with.
    against: usize,
}

const fn call(expression: &'static str, label: &'static str, against: usize) -> Call {
    Call {
        expression,
        label,
        against,
    }
}

const CONSTANT: usize = 0;
/// A C function of PostgreSQL that makes a text at each call.
const VERSION: usize = 1;
const CONSTANT_CLAIMS: usize = 2;

const CALLS: [Call; 12] = [
    call("'x'::text", "", CONSTANT),
    call("version()", "`version()`", VERSION),
    call("$2 ->> 'sub'", "`constant ->> 'sub'`", CONSTANT_CLAIMS),
    call("'y'::text", "another constant: the error of measurement", VERSION),
    call("floor_per_query()", "C function, text made once per query", VERSION),
    call("floor_per_session()", "C function, text made once per session", VERSION),
    call("auth.user_id()", "`auth.user_id()`", VERSION),
    call("auth.uid()", "`auth.uid()`", VERSION),
    call("auth.jwt()", "`auth.jwt()`", VERSION),
    call("auth.jwt() ->> 'sub'", "`auth.jwt() ->> 'sub'`", CONSTANT_CLAIMS),
    call(
        "current_setting('request.jwt.claims', true)",
        "`current_setting('request.jwt.claims', true)`",
        VERSION,
    ),
    call("claim_uid()", "the same as JSON, its `sub` as uuid", VERSION),
];

pub fn measure(plan: &Plan) {
    for bytes in [46, 1024, 8192] {
        let said = claims(&format!(r#""sub":"{ME}""#), bytes);
        let mut client = session(&CLAIMS_MODE);
        set_claims(&mut client, &said);
        one_session(plan, "claims mode", &mut client, &said);
    }
    for bytes in [46, 1024, 8192] {
        let said = claims(&members(), bytes);
        assert!(said.contains(ISSUER));
        let mut client = session(&PROVIDER_MODE);
        init(&mut client, &token("EdDSA", &said));
        set_claims(&mut client, &said);
        one_session(plan, "provider mode", &mut client, &said);
    }
}

fn one_session(plan: &Plan, mode: &str, client: &mut Client, said: &str) {
    // A generic plan, or the claims would be a constant and `->>` would be done when it is planned.
    run(client, "set plan_cache_mode = force_generic_plan");
    for (index, call) in CALLS.iter().enumerate() {
        let prepare = format!(
            "prepare call{index}(int, jsonb) as select count({}) from generate_series(1, $1)",
            call.expression
        );
        run(client, &prepare);
    }
    let processor = Processor::of(client);
    let mut execute = |index, times| processor.seconds(|| execute(client, index, times, said));
    let wanted = plan.choose(0.12, 0.05);
    let times: Vec<u32> = (0..CALLS.len())
        .map(|index| enough(wanted, |times| execute(index, times)))
        .collect();
    let heading = format!("A. One call, {mode}, claims of {} bytes", said.len());
    let gross = plan.rounds(&heading, CALLS.len(), |index| {
        execute(index, times[index]) / f64::from(times[index]) * 1e9
    });
    let least = |index: usize| gross[index].min() - gross[CONSTANT].min();
    let row = |(index, call): (usize, &Call)| {
        vec![
            call.label.to_owned(),
            number(least(index)),
            number(gross[index].less(&gross[CONSTANT]).median()),
            number(least(index) / least(call.against)),
            CALLS[call.against].label.to_owned(),
        ]
    };
    let measured: Vec<_> = CALLS.iter().enumerate().skip(1).map(row).collect();
    table(
        &heading,
        &["call", "ns, min", "ns, median", "ratio of min", "to"],
        &measured,
    );
    println!(
        "\nThe row and the constant cost {} ns.",
        number(gross[CONSTANT].median())
    );
}

/// The number of calls that take this many seconds.
fn enough(wanted: f64, mut execute: impl FnMut(u32) -> f64) -> u32 {
    let mut times = 1000;
    loop {
        let took = execute(times);
        if took > wanted / 3.0 {
            // Between 1000 and some millions.
            return (f64::from(times) * wanted / took) as u32;
        }
        times *= 2;
    }
}

fn execute(client: &mut Client, index: usize, times: u32, said: &str) {
    let counted = rows(client, &format!("execute call{index}({times}, '{said}')"));
    assert_eq!(
        counted[0][0],
        Some(times.to_string()),
        "{} is null",
        CALLS[index].expression
    );
}
