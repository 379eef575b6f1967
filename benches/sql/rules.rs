//! N: a new token of a provider with rules for claims, beside the same token of a provider without.
//!
//! Each token is presented in every session, one session right after the other, and is new to each of them. What is compared
//! is therefore the same token at nearly the same moment.

use postgres::{Client, Statement};
use testkit::issuer::{ALGORITHMS, CLAIMS, ISSUER, ME, fresh, key_set};
use testkit::session::run;

use crate::databases::{PROVIDER_MODE, session};
use crate::measure::{Plan, median, number, seconds, table};

/// The rules of each provider. The first one has none, and neither has the second, which shows the noise.
fn providers() -> [(&'static str, String); 4] {
    let others: Vec<String> = (1..100).map(|other| format!("\"user-{other}\"")).collect();
    [
        ("none", String::new()),
        ("none, again", String::new()),
        (
            "three rules",
            format!(r#","claims":{{"sub":"{ME}","iss":["{ISSUER}","x"],"n":{{"present":true}}}}"#),
        ),
        (
            "a list of 100 values, the last one fits",
            format!(r#","claims":{{"sub":[{},"{ME}"]}}"#, others.join(",")),
        ),
    ]
}

struct Presenter {
    client: Client,
    present: Statement,
}

impl Presenter {
    fn new(members: &str) -> Presenter {
        let mut client = session(&PROVIDER_MODE);
        let keys = key_set();
        let value = format!(r#"[{{"issuer":"{ISSUER}","jwks":{keys}{members}}}]"#);
        run(&mut client, &format!("set pg_session_jwt.providers = '{value}'"));
        let present = client.prepare("select auth.jwt_session_init($1)").unwrap();
        Presenter { client, present }
    }

    /// The microseconds that a token takes.
    fn present(&mut self, token: &String) -> f64 {
        seconds(|| drop(self.client.query(&self.present, &[token]).unwrap())) * 1e6
    }
}

pub fn measure(plan: &Plan) {
    let heading = "N. A new token, with and without rules for claims";
    let providers = providers();
    let mut presenters: Vec<Presenter> = providers.iter().map(|(_, members)| Presenter::new(members)).collect();
    let count = plan.choose(2000, 200);
    let mut rows = Vec::new();
    for bytes in [CLAIMS[0], CLAIMS[1]] {
        for alg in ALGORITHMS {
            plan.say(&format!("{heading}: {count} tokens, {alg}, claims of {bytes} bytes"));
            let mut times = vec![Vec::with_capacity(count); presenters.len()];
            for round in 0..count {
                let token = fresh(alg, bytes);
                for step in 0..presenters.len() {
                    let index = (round + step) % presenters.len();
                    times[index].push(presenters[index].present(&token));
                }
            }
            for ((name, _), own) in providers.iter().zip(&times) {
                let mut differences: Vec<f64> = own.iter().zip(&times[0]).map(|(own, first)| own - first).collect();
                let least = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
                rows.push(vec![
                    format!("{alg}, claims of {bytes} bytes"),
                    (*name).to_owned(),
                    number(least(own)),
                    number(median(&mut own.clone())),
                    number(least(own) - least(&times[0])),
                    number(median(&mut differences)),
                ]);
            }
        }
    }
    let columns = [
        "token",
        "rules",
        "µs, min",
        "µs, median",
        "more than without, by the min",
        "median of the differences",
    ];
    table(heading, &columns, &rows);
}
