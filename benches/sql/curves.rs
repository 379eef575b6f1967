//! H: how each cost grows, as CSV and as a picture.

use std::fs;
use std::path::PathBuf;

use testkit::issuer::{ALGORITHMS, BareCheck, ISSUER, fresh, key_set, signer};
use testkit::session::{one, run};

use crate::databases::{SERVER, session, set_providers};
use crate::measure::{Plan, seconds};
use crate::plot::Curves;
use crate::policies::{FORMS, MINE, identified_session, make_table};
use crate::presented::Presenter;
use crate::transactions::{CLAIMS_SET, Clients, Kind, NEW_ED25519, NEW_RSA, NO_IDENTITY};

pub fn measure(plan: &Plan) {
    write(plan, "tokens", tokens(plan));
    write(plan, "keys", keys(plan));
    write(plan, "providers", many_providers(plan));
    write(plan, "connections", connections(plan));
    write(plan, "rows", rows(plan));
}

pub fn write(plan: &Plan, name: &str, curves: Curves) {
    let directory = PathBuf::from(std::env::var("BENCH_OUTPUT").expect("BENCH_OUTPUT: a directory for the curves"));
    fs::create_dir_all(&directory).unwrap();
    for (suffix, text) in [("csv", curves.csv()), ("svg", curves.svg())] {
        let path = directory.join(format!("{name}.{suffix}"));
        fs::write(&path, text).unwrap();
        plan.say(&path.display().to_string());
    }
}

/// The minimum of some turns.
fn least(plan: &Plan, mut turn: impl FnMut() -> f64) -> f64 {
    (0..plan.choose(5, 2)).map(|_| turn()).fold(f64::INFINITY, f64::min)
}

/// Microseconds for a new token, and for the check of its signature.
fn new_token(plan: &Plan, presenter: &mut Presenter, alg: &str, bytes: usize) -> (f64, f64) {
    let bare = BareCheck::new(alg);
    let (mut nothing, mut check) = (f64::INFINITY, f64::INFINITY);
    let present = least(plan, || {
        let tokens: Vec<String> = (0..100).map(|_| fresh(alg, bytes)).collect();
        let turn = presenter.turn(&tokens, &bare);
        nothing = nothing.min(turn.nothing);
        check = check.min(turn.bare_check);
        turn.present
    });
    (present - nothing, check)
}

fn tokens(plan: &Plan) -> Curves {
    let names: Vec<String> = ALGORITHMS
        .iter()
        .flat_map(|alg| [(*alg).to_owned(), format!("{alg}, signature alone")])
        .collect();
    let mut curves = Curves::new("A new token", "bytes of claims", "µs", &names);
    let mut presenter = Presenter::new(session(&crate::databases::PROVIDER_MODE));
    for bytes in [200, 500, 1000, 2000, 4000, 8000, 16_000, 32_000] {
        plan.say(&format!("H. claims of {bytes} bytes"));
        let both = |alg: &&str| <[f64; 2]>::from(new_token(plan, &mut presenter, alg, bytes));
        let values: Vec<f64> = ALGORITHMS.iter().flat_map(both).collect();
        curves.add(bytes as f64, values);
    }
    curves
}

/// Milliseconds to connect and to have the providers read.
fn connect(plan: &Plan, database: &str) -> f64 {
    least(plan, || {
        let mut client = None;
        let took = seconds(|| run(client.insert(session(database)), "select auth.init()"));
        drop(client);
        took * 1e3
    })
}

/// A new token and a new connection, by number of providers.
fn under(plan: &Plan, title: &str, of_what: &str, counts: &[usize], setting: impl Fn(usize) -> String) -> Curves {
    let names: Vec<String> = ALGORITHMS.iter().map(|alg| format!("new token, {alg}, µs")).collect();
    let mut curves = Curves::new(title, of_what, "µs, ms", &names);
    curves.name("connecting and auth.init(), ms");
    let database = SERVER.database();
    for &count in counts {
        plan.say(&format!("H. {count} {of_what}"));
        set_providers(&SERVER, &database, &setting(count));
        let mut presenter = Presenter::new(session(&database));
        let mut values: Vec<f64> = ALGORITHMS
            .iter()
            .map(|alg| new_token(plan, &mut presenter, alg, 400).0)
            .collect();
        values.push(connect(plan, &database));
        curves.add(count as f64, values);
    }
    curves
}

fn keys(plan: &Plan) -> Curves {
    // The three that sign come last; the others are RSA keys, the largest.
    let setting = |count: usize| {
        let other = |n: usize| signer("RS256").jwk(&format!(r#""kid":"{n}","alg":"RS256""#));
        let others: String = (3..count).map(|n| other(n) + ",").collect();
        let keys = key_set().replacen('[', &format!("[{others}"), 1);
        format!(r#"[{{"issuer":"{ISSUER}","jwks":{keys}}}]"#)
    };
    under(
        plan,
        "Keys in the set of one provider",
        "keys",
        &[3, 5, 10, 20, 50, 100],
        setting,
    )
}

fn many_providers(plan: &Plan) -> Curves {
    let setting = |count: usize| {
        let other = |n: usize| format!(r#"{{"issuer":"https://other{n}.example/","jwks":{}}}"#, key_set());
        let others: String = (1..count).map(|n| other(n) + ",").collect();
        format!(r#"[{others}{{"issuer":"{ISSUER}","jwks":{}}}]"#, key_set())
    };
    under(
        plan,
        "Providers of three keys each",
        "providers",
        &[1, 2, 5, 10, 20],
        setting,
    )
}

fn connections(plan: &Plan) -> Curves {
    static KINDS: [Kind; 4] = [NO_IDENTITY, NEW_ED25519, NEW_RSA, CLAIMS_SET];
    let names: Vec<String> = KINDS.iter().map(|kind| kind.label.to_owned()).collect();
    let mut curves = Curves::new("Transactions", "connections", "per second", &names);
    for count in [1, 2, 4, 8, 16, 32, 64] {
        plan.say(&format!("H. {count} connections"));
        let each = (plan.choose(3000, 600) / count).max(20);
        let value = |kind| {
            let mut clients = Clients::new(kind, count);
            clients.turn(each);
            // The least time is the greatest number in a second.
            1.0 / least(plan, || 1.0 / clients.turn(each))
        };
        curves.add(count as f64, KINDS.iter().map(value).collect());
    }
    curves
}

fn rows(plan: &Plan) -> Curves {
    let shown = [0, 1, 2, 3, 4, 7];
    let names: Vec<String> = shown.iter().map(|&index| FORMS[index].label.replace('`', "")).collect();
    let mut curves = Curves::new("Policy without an index", "rows", "ms", &names);
    let mut made = 0.0;
    for count in [10_000, 100_000, 1_000_000, 10_000_000] {
        if made * 10.0 > plan.choose(60.0, 5.0) {
            plan.say(&format!("H. not {count} rows: they would take too long to make"));
            break;
        }
        plan.say(&format!("H. {count} rows"));
        let mut client = identified_session(400);
        made = seconds(|| {
            run(&mut client, "drop table if exists many");
            make_table(&mut client, "many", count, MINE);
        });
        let value = |&index: &usize| {
            FORMS[index].begin(&mut client);
            let scan = || assert_eq!(one::<i64>(&mut client, "select count(*) from many"), MINE);
            scan_least(plan, count, scan)
        };
        curves.add(count as f64, shown.iter().map(value).collect());
        run(&mut client, "reset role; drop table many");
    }
    curves
}

/// Milliseconds; slow cases are measured once.
fn scan_least(plan: &Plan, count: i64, mut scan: impl FnMut()) -> f64 {
    if count > 1_000_000 {
        return seconds(scan) * 1e3;
    }
    least(plan, || seconds(&mut scan) * 1e3)
}
