//! Logical replication: the apply worker has no identity, and rows arrive as they were published.

use std::time::{Duration, Instant};

use postgres::Client;

use testkit::messages;
use testkit::provider::Provider;
use testkit::server::{Server, major};
use testkit::session::{init, one, run};

/// The subscriber's rows, in the order in which they were written.
const COPIES: &str =
    "select coalesce(string_agg(concat_ws(' ', id, user_id, coalesce(copied_by, 'none')), ',' order by id), '')
                      from owned";
const SEEN: &str =
    "select coalesce(string_agg(concat_ws(' ', id, user_id, coalesce(seen_by, 'none')), ',' order by id), '')
                    from seen";

/// How often the subscription has failed, in its statistics.
fn errors() -> &'static str {
    if major() >= 19 {
        "apply_error_count + sync_table_error_count"
    } else {
        "apply_error_count + sync_error_count"
    }
}

#[track_caller]
fn becomes(client: &mut Client, query: &str, expected: &str, server: &Server) {
    let started = Instant::now();
    loop {
        let found = one::<String>(client, query);
        if found == expected {
            return;
        }
        let waited = started.elapsed() > Duration::from_secs(60);
        assert!(!waited, "{found:?} and not {expected:?}\n{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs the same SQL in databases of a publisher and a subscriber, which have tables with the same names.
fn pair(preload: &str) -> (Server, Server, Client, Client) {
    let publisher = Server::start(&format!("{preload}\nwal_level = logical"));
    let subscriber = Server::start(&format!("{preload}\nwal_retrieve_retry_interval = '200ms'"));
    let tables = |server: &Server, more: &str| {
        let mut client = server.connect("template1", "postgres", "");
        run(
            &mut client,
            &format!(
                "create role app login in role authenticated;
                 create table owned (id int primary key, user_id text not null default (auth.user_id()) {more});
                 alter table owned enable row level security;
                 create policy own_rows on owned to authenticated
                     using ((select auth.user_id()) = user_id) with check ((select auth.user_id()) = user_id);
                 grant select, insert, update, delete on owned to authenticated"
            ),
        );
        client
    };
    let at_publisher = tables(&publisher, "");
    let mut at_subscriber = tables(&subscriber, ", copied_by text default (auth.user_id())");
    run(
        &mut at_subscriber,
        "create table seen (id int, user_id text, seen_by text default (auth.user_id()));
         create function see() returns trigger language plpgsql as $$ begin
             insert into public.seen values (new.id, new.user_id, default);
             if (auth.session() <> 'null') then raise 'an identity applies changes: %', auth.session(); end if;
             return new;
         end $$;
         create trigger see after insert or update on owned for each row execute function see();
         alter table owned enable always trigger see",
    );
    (publisher, subscriber, at_publisher, at_subscriber)
}

fn subscribe(publisher: &Server, at_publisher: &mut Client, at_subscriber: &mut Client) {
    run(at_publisher, "create publication all_owned for table owned");
    run(
        at_subscriber,
        &format!(
            "create subscription to_owned connection 'host=127.0.0.1 port={} user=postgres dbname=template1'
                 publication all_owned",
            publisher.port()
        ),
    );
}

/// Publishes rows of two users, before and after the subscription exists, and reads the rows that arrive.
fn rows_come_as_published(preload: &str, provider: &Provider) {
    let (publisher, subscriber, mut at_publisher, mut at_subscriber) = pair(preload);
    let mut client = publisher.connect("template1", "app", "");
    let mut as_user = |user: &str, sql: &str| {
        init(&mut client, &provider.token(user));
        run(&mut client, sql);
    };
    as_user("alice", "insert into owned values (1, default)");
    subscribe(&publisher, &mut at_publisher, &mut at_subscriber);
    // The first copy of a table uses COPY, in a separate process.
    becomes(&mut at_subscriber, COPIES, "1 alice none", &subscriber);
    as_user("bob", "insert into owned values (2, default)");
    as_user(
        "alice",
        "insert into owned values (3, default); update owned set id = 4 where id = 1",
    );
    as_user("bob", "delete from owned");
    becomes(&mut at_subscriber, COPIES, "3 alice none,4 alice none", &subscriber);
    let seen = "1 alice none,2 bob none,3 alice none,4 alice none";
    becomes(&mut at_subscriber, SEEN, seen, &subscriber);
    let applied = one::<i64>(
        &mut at_subscriber,
        &format!("select {} from pg_stat_subscription_stats", errors()),
    );
    assert_eq!(applied, 0, "{}", subscriber.log());

    // End users see the same rows there, with the same tokens.
    let mut client = subscriber.connect("template1", "app", "");
    assert_eq!(one::<String>(&mut client, COPIES), "");
    for (user, rows) in [("alice", "3 alice none,4 alice none"), ("bob", "")] {
        init(&mut client, &provider.token(user));
        assert_eq!(one::<String>(&mut client, COPIES), rows);
    }
    run(&mut at_subscriber, "drop subscription to_owned");
}

#[test]
fn apply_worker_has_no_identity_with_providers() {
    let provider = Provider::new("a");
    let preload = "shared_preload_libraries = 'pg_session_jwt'";
    let setting = format!("pg_session_jwt.providers = '[{}]'", provider.entry(""));
    rows_come_as_published(&format!("{preload}\n{setting}"), &provider);
    rows_come_as_published(&setting, &provider);
}

#[test]
fn a_subscriber_with_unusable_keys_waits_for_usable_ones() {
    let provider = Provider::new("a");
    let (publisher, subscriber, mut at_publisher, mut at_subscriber) =
        pair("shared_preload_libraries = 'pg_session_jwt'");
    run(&mut at_publisher, "insert into owned values (1, 'alice')");
    run(
        &mut at_subscriber,
        "alter system set pg_session_jwt.providers = 'nonsense'",
    );
    run(&mut at_subscriber, "select pg_reload_conf()");
    drop(at_subscriber);
    let mut at_subscriber = subscriber.connect("template1", "postgres", "");
    subscribe(&publisher, &mut at_publisher, &mut at_subscriber);
    // Its defaults need an identity that does not exist, so nothing is written: neither the row nor a guess.
    let has_errors = format!("select ({} > 0)::text from pg_stat_subscription_stats", errors());
    becomes(&mut at_subscriber, &has_errors, "true", &subscriber);
    assert_eq!(one::<i64>(&mut at_subscriber, "select count(*) from owned"), 0);
    let said = format!("ERROR:  {}", messages::unusable("providers", ""));
    assert!(subscriber.log().contains(&said), "{}", subscriber.log());
    let usable = format!("alter system set pg_session_jwt.providers = '[{}]'", provider.entry(""));
    run(&mut at_subscriber, &usable);
    run(&mut at_subscriber, "select pg_reload_conf()");
    becomes(&mut at_subscriber, COPIES, "1 alice none", &subscriber);
    run(&mut at_subscriber, "drop subscription to_owned");
}
