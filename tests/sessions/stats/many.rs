//! Many connections at once: no count is lost.

use std::thread;

use testkit::provider::{Provider, database_on};
use testkit::server::Server;
use testkit::session::{init, one};

use super::support::CONF;

/// More than there are stripes.
const CONNECTIONS: usize = 48;
const ROUNDS: usize = 50;
const USERS: usize = 10;

#[test]
fn the_sums_of_many_connections_are_exact() {
    let server = Server::start(CONF);
    let [a, b] = ["a", "b"].map(Provider::new);
    let database = database_on(&server, &[a.entry(""), b.entry("")], "");
    let tokens = |provider: &Provider| -> Vec<String> {
        let users = 0..USERS;
        users.map(|user| provider.token(&user.to_string())).collect()
    };
    let tokens = [tokens(&a), tokens(&b)];
    let forged = ["a", "b"].map(|issuer| Provider::new(issuer).token("mallory"));
    thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let (server, database, tokens, forged) = (&server, &database, &tokens, &forged);
            scope.spawn(move || {
                let mut client = server.connect(database, "postgres", "");
                for round in 0..ROUNDS {
                    let provider = (number + round) % 2;
                    init(&mut client, &tokens[provider][round / 2 % USERS]);
                    if round % 10 == 0 {
                        let set = format!("set pg_session_jwt.jwt = '{}'", forged[provider]);
                        client.batch_execute(&set).unwrap_err();
                    }
                }
            });
        }
    });
    let mut monitor = server.connect(&database, "postgres", "");
    let sum = |issuer: &str, statistic: &str| {
        format!("select sum(value) from auth.stats() where issuer = '{issuer}' and statistic = '{statistic}'")
    };
    let each = (CONNECTIONS * ROUNDS / 2) as f64;
    for issuer in ["a", "b"] {
        assert_eq!(one::<f64>(&mut monitor, &sum(issuer, "accepted")), each, "{issuer}");
        assert_eq!(
            one::<f64>(&mut monitor, &sum(issuer, "rejected")),
            each / 10.0,
            "{issuer}"
        );
    }
    // Of each token, the first process has checked the signature, and perhaps others that began at the same time.
    let new =
        "select bool_and(value between 10 and 10 * 48) from auth.stats() where detail = 'new' and issuer in ('a', 'b')";
    assert!(one::<bool>(&mut monitor, new));
}
