//! A key set without a usable key: a provider withdraws its keys with it, for open sessions and across restarts.

use std::fs;

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, one, rejects, rows, user_id};

use crate::support::jwks_faults::{NOT_AVAILABLE, presenting};
use crate::support::jwks_url::{entry, server_with};
use crate::support::key_fetcher::{process, process_after, rejects_init, stored};

/// A provider, and its answer when it withdraws its keys.
struct Withdrawal {
    issuer: &'static str,
    provider: Provider,
    keys: KeyServer,
    set: String,
    /// The error of the set and of its one row, as an administrator sees it.
    error: String,
    row: [&'static str; 2],
}

fn withdrawals() -> Vec<Withdrawal> {
    let with = |jwk: &str, more: &str| format!(r#"{{"keys":[{},{more}}}]}}"#, jwk.trim_end_matches('}'));
    let withdrawal = |issuer, set: &dyn Fn(&str) -> String, error, row| {
        let provider = Provider::new(issuer);
        let keys = KeyServer::start(Answer::Body(provider.key_set()));
        let set = set(&provider.jwk());
        Withdrawal {
            issuer,
            provider,
            keys,
            set,
            error,
            row,
        }
    };
    vec![
        withdrawal(
            "empty",
            &|_| r#"{"keys":[]}"#.to_owned(),
            messages::no_usable_key("the set is empty"),
            ["", "there are no keys"],
        ),
        withdrawal(
            "enc",
            &|jwk| with(jwk, r#""use":"enc""#),
            messages::no_usable_key("key 1, kid \"k1\": its \"use\" is not \"sig\""),
            ["k1", "its \"use\" is not \"sig\""],
        ),
        withdrawal(
            "private",
            &|jwk| with(jwk, r#""d":"AA""#),
            messages::no_usable_key("key 1, kid \"k1\": it has the private member \"d\"; provide the public key only"),
            ["k1", "it has the private member \"d\"; provide the public key only"],
        ),
    ]
}

/// attack: 133, 149
#[test]
fn set_without_usable_keys_withdraws_the_old_keys() {
    let withdrawals = withdrawals();
    let entries: Vec<String> = withdrawals.iter().map(|it| entry(it.issuer, &it.keys.url())).collect();
    let mut server = server_with(&entries, "");
    for it in &withdrawals {
        let mut living = server.connect("template1", "postgres", "");
        init(&mut living, &it.provider.token("alice"));
        it.keys.answer(Answer::Body(it.set.clone()));
        // A token with an unknown key makes the set be fetched again.
        let mut client = server.connect("template1", "postgres", "");
        let unknown = Provider::with_kid(it.issuer, "unknown").token("mallory");
        rejects_init(&mut client, &unknown, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
        for client in [&mut living, &mut client] {
            rejects_init(client, &it.provider.token("bob"), NOT_AVAILABLE.0, NOT_AVAILABLE.1);
        }
        rejects(&mut living, "select auth.user_id()", NOT_AVAILABLE.0, NOT_AVAILABLE.1);
        assert_eq!(user_id(&mut client), None);
        let shown = format!(
            "select kid, reason, last_error, usable, fetched_at > pg_postmaster_start_time(), next_refresh > now()
               from auth.providers() where issuer = '{}'",
            it.issuer
        );
        let shown: Vec<Vec<String>> = rows(&mut client, &shown)
            .into_iter()
            .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
            .collect();
        let [kid, reason] = it.row;
        assert_eq!(shown, [[kid, reason, &it.error, "f", "t", "t"]]);
    }
    // The keys do not return with the server while the provider is down or its answer is the same.
    let ports: Vec<u16> = withdrawals.iter().map(|it| it.keys.port()).collect();
    let mut closed = Vec::new();
    for Withdrawal {
        issuer,
        provider,
        keys,
        set,
        error,
        ..
    } in withdrawals
    {
        let told = messages::NO_USABLE_KEY.replace("key set", &format!("the key set from \"{}\"", keys.url()));
        drop(keys);
        closed.push((issuer, provider, set, error, told));
    }
    server.restart();
    for restarted in ["server", "worker"] {
        if restarted == "worker" {
            let worker = process(&server);
            let mut admin = server.connect("postgres", "postgres", "");
            assert!(one::<bool>(
                &mut admin,
                &format!("select pg_terminate_backend({worker}, 30000)")
            ));
            process_after(&server, worker);
        }
        let mut client = server.connect("template1", "postgres", "");
        for (issuer, provider, _, _, _) in &closed {
            rejects_init(&mut client, &provider.token("bob"), NOT_AVAILABLE.0, NOT_AVAILABLE.1);
            assert_eq!(user_id(&mut client), None, "{restarted} {issuer}");
        }
    }
    let servers: Vec<KeyServer> = ports
        .iter()
        .zip(&closed)
        .map(|(port, it)| KeyServer::start_at(*port, Answer::Body(it.2.clone())))
        .collect();
    server.restart();
    servers.iter().for_each(|keys| keys.wait_for_requests(1));
    let mut client = server.connect("template1", "postgres", "");
    for (issuer, provider, _, error, _) in &closed {
        rejects_init(&mut client, &provider.token("bob"), NOT_AVAILABLE.0, NOT_AVAILABLE.1);
        let shown = format!("select min(last_error) from auth.providers() where issuer = '{issuer}'");
        wait_until("the fetch", || {
            one::<Option<String>>(&mut client, &shown).as_ref() == Some(error)
        });
    }
    // A valid set applies again, at the first token that needs it.
    let rotated: Vec<Provider> = closed.iter().map(|it| Provider::with_kid(it.0, "k2")).collect();
    server.restart();
    for (keys, new) in servers.iter().zip(&rotated) {
        keys.wait_for_requests(2);
        keys.answer(Answer::Body(new.key_set()));
    }
    let mut client = server.connect("template1", "postgres", "");
    for (new, (issuer, provider, ..)) in rotated.iter().zip(&closed) {
        wait_until(issuer, || {
            client.batch_execute(&presenting(&new.token("carol"))).is_ok()
        });
        assert_eq!(user_id(&mut client).as_deref(), Some("carol"), "{issuer}");
        rejects_init(&mut client, &provider.token("bob"), "28000", messages::NO_KEY_OF_TOKEN);
        let shown = format!(
            "select bool_and(usable) and min(last_error) is null from auth.providers() where issuer = '{issuer}'"
        );
        wait_until("the error to go", || one(&mut client, &shown));
    }
    let log = server.log();
    for (.., told) in &closed {
        assert_eq!(log.matches(told).count(), 1, "{told}: {log}");
        assert!(log.contains(&format!("WARNING:  pg_session_jwt: {told}")), "{log}");
    }
}

#[test]
fn withdrawal_needs_no_disk_space() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let mut server = server_with(&[entry("a", &keys.url())], "");
    let mut living = server.connect("template1", "postgres", "");
    init(&mut living, &provider.token("alice"));
    let (path, _) = stored(&server).remove(0);
    // Nothing can be written beside it.
    fs::create_dir(path.with_file_name("unfinished")).unwrap();
    keys.answer(Answer::Body(r#"{"keys":[]}"#.to_owned()));
    let mut client = server.connect("template1", "postgres", "");
    let unknown = Provider::with_kid("a", "unknown").token("mallory");
    rejects_init(&mut client, &unknown, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    rejects(&mut living, "select auth.user_id()", NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    drop(keys);
    server.restart();
    let mut client = server.connect("template1", "postgres", "");
    rejects_init(&mut client, &provider.token("bob"), NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    assert_eq!(user_id(&mut client), None);
}

#[test]
fn provider_without_keys_yet_is_reported_without_keys() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(r#"{"keys":[]}"#.to_owned()));
    let server = server_with(&[entry("a", &keys.url())], "");
    let mut client = server.connect("template1", "postgres", "");
    rejects_init(&mut client, &provider.token("alice"), NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    let error = "select last_error from auth.providers()";
    let expected = messages::no_usable_key("the set is empty");
    assert_eq!(one::<String>(&mut client, error), expected);
    let [(_, url)] = &stored(&server)[..] else {
        panic!("{:?}", stored(&server));
    };
    assert_eq!(*url, keys.url());
    rejects(
        &mut client,
        &presenting(&provider.token("alice")),
        NOT_AVAILABLE.0,
        NOT_AVAILABLE.1,
    );
    assert_eq!(user_id(&mut client), None);
}
