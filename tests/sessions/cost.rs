//! behaviour 4.8: what a policy costs for each row does not grow with the token.

use std::time::{Duration, Instant};

use postgres::Client;

use crate::session::{Proxy, init, run};

/// The best of three, which is what the machine's other work disturbs least.
fn time(client: &mut Client, sql: &str) -> Duration {
    let times = (0..3).map(|_| {
        let started = Instant::now();
        run(client, sql);
        started.elapsed()
    });
    times.min().unwrap()
}

#[test]
fn a_long_token_costs_no_more_for_each_row_than_a_short_one() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    // Parallel plans and compilation would blur the comparison.
    run(&mut client, "set jit = off; set max_parallel_workers_per_gather = 0");
    let claims: String = (0..900)
        .map(|n| format!(r#","claim{n}":{{"value":[{n},"some text of the claim"]}}"#))
        .collect();
    let short = r#""sub":"alice","o":{"id":"x"}"#;
    let long = format!("{short}{claims}");
    assert!(long.len() > 40_000, "{}", long.len());
    let mut growing = Vec::new();
    for (rows, call) in [
        (20_000, "auth.user_id()"),
        (20_000, "auth.uid()"),
        (20_000, "auth.role()"),
        (20_000, "auth.organization_id()"),
        (1_000, "auth.organization()"),
        (1_000, "auth.session()"),
        (1_000, "auth.jwt() ->> 'sub'"),
    ] {
        let sql = format!("select count({call}) from generate_series(1, {rows}) i");
        init(&mut client, &proxy.token(short));
        let with_short = time(&mut client, &sql);
        init(&mut client, &proxy.token(&long));
        let with_long = time(&mut client, &sql);
        if with_long > with_short * 4 + Duration::from_millis(40) {
            growing.push(format!(
                "{call}, {rows} rows: {with_short:?} with a short token, {with_long:?} with a long one"
            ));
        }
    }
    assert!(growing.is_empty(), "{growing:#?}");
}
