//! D and E: presenting a token, new or repeated, beside the bare check of its signature.

use std::hint::black_box;

use postgres::{Client, Statement};
use testkit::issuer::{ALGORITHMS, BareCheck, CLAIMS, fresh};

use crate::databases::{PROVIDER_MODE, session};
use crate::measure::{Plan, Series, median, number, seconds, table};

/// A session that presents tokens by prepared statements.
pub struct Presenter {
    client: Client,
    nothing: Statement,
    receive: Statement,
    present: Statement,
}

/// Medians of one turn, in microseconds.
pub struct Turn {
    /// `select 1`
    pub nothing: f64,
    /// A statement that receives the token and reads only its length.
    pub receive: f64,
    /// `auth.jwt_session_init($1)`
    pub present: f64,
    /// The bare signature check, in this process.
    pub bare_check: f64,
}

impl Presenter {
    pub fn new(mut client: Client) -> Presenter {
        let mut prepare = |sql| client.prepare(sql).unwrap();
        Presenter {
            nothing: prepare("select 1"),
            receive: prepare("select octet_length($1::text)"),
            present: prepare("select auth.jwt_session_init($1)"),
            client,
        }
    }

    /// Presents each of the tokens between two statements that do nothing.
    pub fn turn(&mut self, tokens: &[String], bare: &BareCheck) -> Turn {
        let (mut nothing, mut receive, mut present, mut check) = (vec![], vec![], vec![], vec![]);
        for token in tokens {
            nothing.push(seconds(|| drop(self.client.query(&self.nothing, &[]).unwrap())));
            present.push(seconds(|| drop(self.client.query(&self.present, &[token]).unwrap())));
            receive.push(seconds(|| drop(self.client.query(&self.receive, &[token]).unwrap())));
            check.push(seconds(|| assert!(bare.verify(black_box(token)))));
        }
        let middle = |mut times: Vec<f64>| median(&mut times) * 1e6;
        Turn {
            nothing: middle(nothing),
            receive: middle(receive),
            present: middle(present),
            bare_check: middle(check),
        }
    }
}

/// The kinds of tokens: algorithm and bytes of claims.
fn kinds() -> Vec<(&'static str, usize)> {
    let of_length = |bytes| ALGORITHMS.iter().map(move |&alg| (alg, bytes));
    CLAIMS.into_iter().flat_map(of_length).collect()
}

pub fn measure(plan: &Plan) {
    rounds(plan, "D. A new token each time", |alg, bytes, count| {
        (0..count).map(|_| fresh(alg, bytes)).collect()
    });
    rounds(plan, "E. The same token again", |alg, bytes, count| {
        vec![fresh(alg, bytes); count]
    });
}

fn rounds(plan: &Plan, heading: &str, tokens: impl Fn(&str, usize, usize) -> Vec<String>) {
    let kinds = kinds();
    let checks: Vec<BareCheck> = kinds.iter().map(|(alg, _)| BareCheck::new(alg)).collect();
    let mut presenter = Presenter::new(session(&PROVIDER_MODE));
    let count = plan.choose(200, 60);
    let mut others: Vec<[Vec<f64>; 3]> = vec![Default::default(); kinds.len()];
    let present = plan.rounds(heading, kinds.len(), |index| {
        let (alg, bytes) = kinds[index];
        let turn = presenter.turn(&tokens(alg, bytes, count), &checks[index]);
        for (values, value) in others[index]
            .iter_mut()
            .zip([turn.nothing, turn.receive, turn.bare_check])
        {
            values.push(value);
        }
        turn.present
    });
    let row = |(index, &(alg, bytes)): (usize, &(&str, usize))| {
        // The first one was the warm-up.
        let [nothing, receive, check] = [0, 1, 2].map(|which| Series::new(&others[index][which][1..]));
        let present = &present[index];
        let net = present.less(&nothing);
        let without_sending = present.less(&receive);
        vec![
            format!("{alg}, {} bytes", fresh(alg, bytes).len()),
            number(present.min() - nothing.min()),
            number(net.median()),
            number(without_sending.median()),
            number(check.min()),
            number(check.median()),
            number(net.ratio(&check)),
            number(without_sending.less(&check).median()),
        ]
    };
    let shown: Vec<_> = kinds.iter().enumerate().map(row).collect();
    let columns = [
        "token",
        "µs, min",
        "µs, median",
        "less sending it",
        "signature alone, min",
        "median",
        "ratio to it",
        "less sending it, and less the signature",
    ];
    table(heading, &columns, &shown);
}
