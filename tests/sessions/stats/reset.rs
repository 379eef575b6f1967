//! `auth.reset_stats()`, and the time since when the server counts.

use testkit::provider::{Provider, database_on};
use testkit::server::Server;
use testkit::session::{init, one, rows, run};

use super::support::{CONF, counted, verification_time};

#[test]
fn a_reset_begins_with_0_and_a_new_time() {
    let server = Server::start(CONF);
    let provider = Provider::new("a");
    let database = database_on(&server, &[provider.entry("")], "");
    let mut client = server.connect(&database, "postgres", "");
    let since = "select min(stats_reset) from auth.stats() having min(stats_reset) = max(stats_reset)";
    let is_start = format!("select ({since}) between pg_postmaster_start_time() - interval '10 s' and now()");
    assert!(one::<bool>(&mut client, &is_start));
    init(&mut client, &provider.token("alice"));
    client.batch_execute("set pg_session_jwt.jwt = 'x'").unwrap_err();
    let names = "select database, issuer, statistic, detail from auth.stats() order by 1, 2, 3, 4";
    let all = rows(&mut client, names);
    run(&mut client, "begin; select auth.reset_stats(); rollback");
    // A rollback does not undo it.
    assert!(one::<bool>(
        &mut client,
        &format!("select ({since}) > pg_postmaster_start_time()")
    ));
    assert!(one::<bool>(
        &mut client,
        &format!("select ({since}) between now() - interval '1 min' and now()")
    ));
    assert_eq!(counted(&server, &database), [""; 0]);
    assert_eq!(verification_time(&server, &database), 0.0);
    // The rows stay, and the processes continue to use them.
    assert_eq!(rows(&mut client, names), all);
    init(&mut client, &provider.token("alice"));
    assert_eq!(counted(&server, &database).len(), 1);
    let before = one::<String>(&mut client, &format!("select ({since})::text"));
    run(&mut client, "select pg_sleep(0.001); select auth.reset_stats()");
    assert_ne!(one::<String>(&mut client, &format!("select ({since})::text")), before);
}

#[test]
fn a_row_has_all_its_numbers_from_the_first_token_on() {
    let server = Server::start(CONF);
    let provider = Provider::new("a");
    let database = database_on(&server, &[provider.entry("")], "");
    let mut client = server.connect(&database, "postgres", "");
    let of_server = [["cache_entries", "1"], ["cache_evictions", "1"]];
    let statistics = "select statistic, count(*) from auth.stats() group by 1 order by 1";
    let found = |rows: Vec<Vec<Option<String>>>| -> Vec<String> {
        let text = |row: Vec<Option<String>>| row.into_iter().flatten().collect::<Vec<_>>().join(" ");
        rows.into_iter().map(text).collect()
    };
    assert_eq!(found(rows(&mut client, statistics)), of_server.map(|row| row.join(" ")));
    init(&mut client, &provider.token("alice"));
    assert_eq!(
        found(rows(&mut client, statistics)),
        [
            "accepted 3",
            "cache_entries 1",
            "cache_evictions 1",
            "rejected 22",
            "verification_time 1"
        ]
    );
    let details = "select string_agg(detail, ' ' order by ordinality) from auth.stats() with ordinality
                    where statistic in ('accepted', 'rejected')";
    assert_eq!(
        one::<String>(&mut client, details),
        "new repeated_here repeated_elsewhere form header payload provider key signature algorithms token_types \
         audience claims sender_constrained nbf exp jti expiry max_age encoding roles login identity_scope no_keys settings"
    );
}
