//! A proxy of an existing deployment under load: eight connections with a key each and two thousand requests on each.
//! After every request the proxy sends its pool reset.

use std::collections::BTreeMap;

use postgres::Client;
use testkit::cluster::{Cluster, Turn};
use testkit::messages;
use testkit::server::Server;
use testkit::session::{Proxy, init, now, rejects, rows, run};

use crate::support::deployment_0_5::{BACK_TO_THE_POOL, deploy, proxy_connection};

const CONNECTIONS: usize = 8;
const REQUESTS: usize = 2000;
const USERS: usize = 7;

/// The rows of each user, as many as the number of the user.
fn owned() -> BTreeMap<String, Vec<String>> {
    let tasks = |user| (0..user).map(|task| format!("{task} of {user}")).collect();
    (0..USERS).map(|user| (format!("user{user}"), tasks(user))).collect()
}

fn seen(client: &mut Client, sql: &str) -> Vec<String> {
    rows(client, sql)
        .into_iter()
        .map(|row| row[0].clone().unwrap())
        .collect()
}

#[test]
fn every_request_sees_its_own_users_rows() {
    let cluster = Cluster::new(Server::start_empty(""));
    let turn = cluster.turn();
    deploy(&turn);
    let owned = owned();
    for (user, tasks) in &owned {
        for task in tasks {
            let insert = format!("insert into todos (user_id, task) values ('{user}', '{task}')");
            run(&mut turn.superuser("app"), &insert);
        }
    }
    std::thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (turn, owned) = (&turn, &owned);
            scope.spawn(move || requests_of(turn, owned, connection));
        }
    });
}

fn requests_of(cluster: &Turn<'_>, owned: &BTreeMap<String, Vec<String>>, connection: usize) {
    let mut proxy = Proxy::new();
    let other_key = Proxy::new();
    let mut client = proxy_connection(cluster, &proxy);
    for request in 0..REQUESTS {
        // Another user each time, and a different one on each connection at this request.
        let user = format!("user{}", (request + connection) % USERS);
        let token = proxy.token(&format!(r#""sub":"{user}","exp":{}"#, now() + 60));
        if request % 50 == 0 {
            before_the_token(&mut client, &other_key, &user);
        }
        init(&mut client, &token);
        let rows = match request % 3 {
            0 => seen(&mut client, "select task from todos order by id"),
            1 => seen(
                &mut client,
                "select task from todos where user_id = auth.user_id() order by id",
            ),
            // A batch in one transaction, invisible to the others.
            _ => seen(
                &mut client,
                "begin; insert into todos (task) values ('new'); delete from todos where task = 'new';
                 select task from todos order by id",
            ),
        };
        assert_eq!(rows, owned[&user], "request {request} of connection {connection}");
        if request % 50 == 0 {
            let again = format!("select auth.jwt_session_init('{token}')");
            rejects(&mut client, &again, "28000", messages::TOKEN_ID_REPLAYED);
        }
        run(&mut client, BACK_TO_THE_POOL);
    }
}

/// Asserts that there is no identity, and that a token of another connection's key does not change that.
fn before_the_token(client: &mut Client, other_key: &Proxy, user: &str) {
    let stolen = other_key.token_with_jti(i64::MAX, &format!(r#""sub":"{user}""#));
    let present = format!("select auth.jwt_session_init('{stolen}')");
    rejects(client, &present, "28000", messages::INVALID_SIGNATURE);
    assert_eq!(rows(client, "select auth.user_id()"), [[None]]);
    assert!(seen(client, "select task from todos").is_empty());
}
