//! The server restarts: the worker's stored sets are still there, and are verified before they are trusted.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::session::{init, one, rows, run, user_id};

use crate::support::jwks_url::{entry, server_with};
use crate::support::key_fetcher::{rejects_init, stored, stored_urls};

#[test]
fn stored_keys_are_valid_after_a_restart() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let (port, url) = (keys.port(), keys.url());
    let mut server = server_with(&[entry("a", &url)], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    drop((client, keys));
    server.restart();

    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let failed = "select last_error is not null and last_error <> 'it has not been fetched yet' from auth.providers()";
    wait_until("the fetch to fail", || one(&mut client, failed));
    let shown = rows(
        &mut client,
        "select provider, issuer, source, kid, usable, reason, last_error <> '',
                fetched_at between pg_postmaster_start_time() - interval '1 minute' and pg_postmaster_start_time(),
                next_refresh > now()
           from auth.providers()",
    );
    let shown: Vec<&str> = shown[0].iter().map(|value| value.as_deref().unwrap_or("")).collect();
    assert_eq!(shown, ["1", "a", "jwks_url", "k1", "t", "", "t", "t", "t"]);
    init(&mut client, &provider.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    assert_eq!(stored_urls(&server), [url]);

    // A failure is retried at a reload, because a setting may have been the cause. Other retries come after increasing
    // delays.
    let due = "select next_refresh::text from auth.providers()";
    for _ in 0..2 {
        let before: String = one(&mut client, due);
        run(&mut client, "select pg_reload_conf()");
        wait_until("another try", || one::<String>(&mut client, due) != before);
    }
    let far = "select next_refresh > now() + interval '35 seconds' from auth.providers()";
    assert!(one::<bool>(&mut client, far));
    let keys = KeyServer::start_at(port, Answer::Body(provider.key_set()));
    run(&mut client, "select pg_reload_conf()");
    keys.wait_for_requests(1);
    let healed = "select last_error is null and fetched_at > pg_postmaster_start_time() from auth.providers()";
    wait_until("the fetch to succeed", || one(&mut client, healed));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn unreadable_stored_keys_are_read_for_the_next_token() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let server = server_with(&[entry("a", &keys.url())], "");
    init(
        &mut server.connect("template1", "postgres", ""),
        &provider.token("alice"),
    );
    let [(path, _)] = &stored(&server)[..] else {
        panic!("{:?}", stored(&server));
    };
    let away = path.with_extension("away");
    fs::rename(path, &away).unwrap();
    let mut client = server.connect("template1", "postgres", "");
    let token = provider.token("bob");
    rejects_init(&mut client, &token, "55000", messages::KEYS_NOT_AVAILABLE);
    fs::rename(&away, path).unwrap();
    init(&mut client, &token);
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    assert_eq!(keys.requests(), 1);
}

#[test]
fn altered_stored_file_gives_no_keys() {
    let (provider, mallory) = (Provider::new("a"), Provider::new("a"));
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let (port, url) = (keys.port(), keys.url());
    let mut server = server_with(&[entry("a", &url)], "");
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    drop((client, keys));
    let [(path, _)] = &stored(&server)[..] else {
        panic!("{:?}", stored(&server));
    };
    let good = fs::read(path).unwrap();
    assert_eq!(good, format!("{url}\n{}", provider.key_set()).into_bytes());
    let of_another = format!("{url}x\n{}", mallory.key_set());
    let longer = format!("{url}/x\n{}", mallory.key_set());
    let without_url = mallory.key_set();
    let not_utf8 = [format!("{url}\n").as_bytes(), &[0xff; 64]].concat();
    let unusable = format!(
        r#"{url}
{{"keys":[{{"kty":"oct","k":"{}"}}]}}"#,
        "A".repeat(64)
    );
    let broken: [&[u8]; 9] = [
        b"",
        b"\n",
        &good[..good.len() / 2],
        &good[..good.len() - 2],
        of_another.as_bytes(),
        longer.as_bytes(),
        without_url.as_bytes(),
        &not_utf8,
        unusable.as_bytes(),
    ];
    for content in broken {
        server.restart_after(|_: &Path| fs::write(path, content).unwrap());
        let mut client = server.connect("template1", "postgres", "");
        for token in [provider.token("alice"), mallory.token("mallory")] {
            rejects_init(&mut client, &token, "55000", messages::KEYS_NOT_AVAILABLE);
        }
        assert_eq!(user_id(&mut client), None);
    }
    // A deleted file is just missing.
    server.restart_after(|_| fs::remove_file(path).unwrap());
    let mut client = server.connect("template1", "postgres", "");
    rejects_init(
        &mut client,
        &provider.token("alice"),
        "55000",
        messages::KEYS_NOT_AVAILABLE,
    );
    // When the provider is back, its keys are stored again.
    fs::write(path, &of_another).unwrap();
    let keys = KeyServer::start_at(port, Answer::Body(provider.key_set()));
    run(&mut client, "select pg_reload_conf()");
    keys.wait_for_requests(1);
    wait_until("the file", || fs::read(path).unwrap() == good);
    wait_until("the keys", || {
        one(&mut client, "select bool_and(usable) from auth.providers()")
    });
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    rejects_init(
        &mut client,
        &mallory.token("mallory"),
        "28000",
        messages::INVALID_SIGNATURE,
    );
}

#[test]
fn broken_file_is_replaced_when_the_provider_answers() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Body(provider.key_set()));
    let mut server = server_with(&[entry("a", &keys.url())], "");
    keys.wait_for_requests(1);
    wait_until("the file", || stored_urls(&server) == [keys.url()]);
    let (path, _) = stored(&server).remove(0);
    server.restart_after(|_| fs::write(&path, "garbage").unwrap());
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let expected = format!("{}\n{}", keys.url(), provider.key_set());
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(keys.requests(), 2);
    assert!(server.log().contains("cannot be read: it belongs to another URL"));
}

#[test]
fn a_fast_shutdown_does_not_wait_for_a_silent_provider() {
    let provider = Provider::new("a");
    let keys = KeyServer::start(Answer::Silence);
    let mut server = server_with(&[entry("a", &keys.url())], "");
    // A session waits for the keys as well.
    let mut waiting = server.connect("template1", "postgres", "");
    let present = format!("select auth.jwt_session_init('{}')", provider.token("alice"));
    let waiting = std::thread::spawn(move || waiting.batch_execute(&present).unwrap_err());
    keys.wait_for_requests(1);
    let in_function = "select count(*) from pg_stat_activity where state = 'active' and query like '%jwt_session_init%'
                        and pid <> pg_backend_pid()";
    let mut admin = server.connect("postgres", "postgres", "");
    wait_until("the session to wait", || one::<i64>(&mut admin, in_function) == 1);
    drop(admin);
    assert_eq!(keys.requests(), 1);
    let mut stopped = None;
    let started = Instant::now();
    server.restart_after(|_| stopped = Some(started.elapsed()));
    let stopped = stopped.unwrap();
    // A fetch may take five seconds, and has three attempts.
    assert!(stopped < Duration::from_secs(3), "{stopped:?}");
    // The client may see only that the connection is closed.
    waiting.join().unwrap();
    assert!(
        server
            .log()
            .contains("FATAL:  terminating connection due to administrator command")
    );
}
