//! A hot standby has a separate worker, because it can store nothing in the database and must not need the primary.

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, one, rejects, run, user_id};

use crate::support::jwks_url::{conf, entry, server_with};
use crate::support::key_fetcher::{process, rejects_init, stored_urls};
use crate::support::standby::standby_of;

#[test]
fn standby_fetches_and_continues_after_promotion() {
    let (old, new) = (Provider::new("a"), Provider::with_kid("a", "k2"));
    let [of_primary, of_standby] = [(); 2].map(|()| KeyServer::start(Answer::Body(old.key_set())));
    let primary = server_with(&[entry("a", &of_primary.url())], "");
    let database = primary.database();
    let mut client = primary.connect(&database, "postgres", "");
    init(&mut client, &old.token("alice"));
    let standby = standby_of(&primary, &conf(&[entry("a", &of_standby.url())], ""));

    let mut living = standby.connect(&database, "postgres", "");
    assert!(one::<bool>(&mut living, "select pg_is_in_recovery()"));
    init(&mut living, &old.token("alice"));
    assert_eq!(user_id(&mut living).as_deref(), Some("alice"));
    assert_eq!(of_standby.requests(), 1);
    // The file of the primary's URL came with the copy, and no setting here names it.
    wait_until("the file", || stored_urls(&standby) == [of_standby.url()]);

    of_standby.answer(Answer::Body(new.key_set()));
    let mut client = standby.connect(&database, "postgres", "");
    init(&mut client, &new.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    rejects(&mut living, "select auth.user_id()", "28000", messages::NO_KEY_OF_TOKEN);
    assert_eq!((of_primary.requests(), of_standby.requests()), (1, 2));

    let worker = process(&standby);
    assert!(one::<bool>(&mut client, "select pg_promote()"));
    assert!(!one::<bool>(&mut client, "select pg_is_in_recovery()"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    init(&mut client, &new.token("carol"));
    run(&mut client, "create table written as select auth.user_id()");
    assert_eq!(one::<String>(&mut client, "select user_id from written"), "carol");
    rejects_init(&mut client, &old.token("alice"), "28000", messages::NO_KEY_OF_TOKEN);
    assert_eq!(process(&standby), worker);
    // It is still the same worker, and still works.
    let third = Provider::with_kid("b", "k3");
    let keys = KeyServer::start(Answer::Body(third.key_set()));
    run(
        &mut client,
        &format!("set pg_session_jwt.providers = '[{}]'", entry("b", &keys.url())),
    );
    init(&mut client, &third.token("dave"));
    assert_eq!(user_id(&mut client).as_deref(), Some("dave"));
}

#[test]
fn standby_reads_settings_of_the_replicated_catalog() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let preload = "shared_preload_libraries = 'pg_session_jwt'";
    let primary = Server::start(preload);
    let database = primary.database();
    let standby = standby_of(&primary, preload);
    let mut admin = primary.connect("postgres", "postgres", "");
    run(
        &mut admin,
        &format!(
            "alter database {database} set pg_session_jwt.providers = '[{}]'",
            entry("a", &keys.url())
        ),
    );
    let mut reader = standby.connect("postgres", "postgres", "");
    wait_until("the setting to be replicated", || {
        one::<i64>(&mut reader, "select count(*) from pg_db_role_setting") == 1
    });
    assert_eq!(keys.requests(), 0);
    run(&mut reader, "select pg_reload_conf()");
    keys.wait_for_requests(1);
    wait_until("the file", || stored_urls(&standby) == [keys.url()]);
    assert_eq!(stored_urls(&primary), Vec::<String>::new());
    let mut client = standby.connect(&database, "postgres", "");
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert_eq!(keys.requests(), 1);
}
