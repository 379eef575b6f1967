//! Each released version of the driver, over HTTP and WebSocket, and in a browser.
//!
//! The tests themselves are in tests/drivers, by Node's test runner; here is one test for each of its files and versions.

use std::path::PathBuf;
use std::process::Command;

use rstest::rstest;
use testkit::ports::free_port;
use testkit::session::run;
use testkit::signer::Signer;

use crate::running::Gateway;
use crate::{ALICE, BOB, SERVER, SIGNER, token, token_of};

/// The directory of the drivers.
pub fn laid_out() -> PathBuf {
    let directory = std::env::var("PG_SESSION_JWT_GATEWAY_DRIVERS");
    PathBuf::from(
        directory.expect("PG_SESSION_JWT_GATEWAY_DRIVERS: where the drivers are laid out; `make test-gateway` sets it"),
    )
}

/// The variables by which a program of Node.js finds the gateway, the server and the tokens.
pub fn environment(gateway: &Gateway, database: &str) -> Vec<(&'static str, String)> {
    vec![
        ("GATEWAY", format!("127.0.0.1:{}", gateway.port)),
        ("PGHOST", "127.0.0.1".to_owned()),
        ("PGPORT", SERVER.port().to_string()),
        ("PGDATABASE", database.to_owned()),
        ("ALICE_ID", ALICE.to_owned()),
        ("BOB_ID", BOB.to_owned()),
        ("ALICE_TOKEN", token(ALICE, 600)),
        ("BOB_TOKEN", token(BOB, 600)),
        ("EXPIRED_TOKEN", token(ALICE, -600)),
        // Another key signed it, under the name of the real one.
        (
            "FORGED_TOKEN",
            token_of(&Signer::ed25519(), "https://id.example/", ALICE, 600),
        ),
        ("FOREIGN_TOKEN", token_of(&SIGNER, "https://other.example/", ALICE, 600)),
    ]
}

/// What a program prints; it must succeed.
#[track_caller]
pub fn output(program: &mut Command) -> String {
    let output = program.output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{}\n{out}\n{error}", output.status);
    out
}

/// A new database with the tables of these tests.
fn database() -> String {
    let database = SERVER.database();
    run(
        &mut SERVER.connect(&database, "postgres", ""),
        include_str!("drivers.sql"),
    );
    database
}

/// Runs a file of tests with this version of the driver, and with further variables.
#[track_caller]
fn pass(file: &str, driver: &str, database: &str, variables: &[(&'static str, String)]) {
    let gateway = Gateway::start(&SERVER, database, &[]);
    let mut node = Command::new("node");
    node.arg("--test-reporter=spec")
        .arg(laid_out().join(file))
        .env("DRIVER", format!("neon-{driver}"))
        .envs(environment(&gateway, database))
        .envs(variables.iter().cloned());
    let printed = output(&mut node);
    // A file without tests would succeed too.
    let passed = printed.lines().find_map(|line| line.strip_prefix("ℹ pass "));
    assert!(passed.is_some_and(|passed| passed != "0"), "{printed}");
}

#[rstest]
#[case::http("http.test.mjs")]
#[case::types("types.test.mjs")]
#[case::errors("errors.test.mjs")]
#[case::websocket("websocket.test.mjs")]
#[case::policies("policies.test.mjs")]
fn node(#[case] file: &str, #[values("0.10.4", "1.0.2", "1.1.0", "1.2.0")] driver: &str) {
    pass(file, driver, &database(), &[]);
}

/// Chromium, or Chrome. As for the example, a system that packages neither has no such test.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    ["chromium", "google-chrome", "google-chrome-stable"]
        .iter()
        .flat_map(|name| directories.iter().map(move |directory| directory.join(name)))
        .find(|path| path.is_file())
}

#[rstest]
fn page_of_another_origin(#[values("0.10.4", "1.0.2", "1.1.0", "1.2.0")] driver: &str) {
    let Some(browser) = browser() else {
        eprintln!("not tested: Chromium is not on the PATH");
        return;
    };
    let database = database();
    // The test serves its pages there. A second gateway accepts no other origin, and has TLS.
    let port = free_port();
    let origin = format!("http://localhost:{port}");
    let names = ["api", "apiauth", "db"].map(|name| format!("{name}.example.com"));
    let certified = rcgen::generate_simple_self_signed(names).unwrap();
    let [certificate, key] = ["crt", "key"].map(|end| SERVER.directory().join(format!("{database}.{end}")));
    std::fs::write(&certificate, certified.cert.pem()).unwrap();
    std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let [certificate, key] = [&certificate, &key].map(|path| path.to_str().unwrap());
    let tls = Gateway::start(
        &SERVER,
        &database,
        &["--allow-origin", &origin, "--tls-cert", certificate, "--tls-key", key],
    );
    let variables = [
        ("CHROMIUM", browser.to_str().unwrap().to_owned()),
        ("ORIGIN", origin),
        ("TLS_PORT", tls.port.to_string()),
    ];
    pass("browser.test.mjs", driver, &database, &variables);
}
