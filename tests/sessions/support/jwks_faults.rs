//! Key servers that fail in one way each, and what sessions and administrators see of it.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, rejects, rows, run, user_id};

use crate::support::jwks_url::{entry, server_with};

/// The error of a URL before its first fetch has ended.
pub const NOT_FETCHED: &str = "it has not been fetched yet";

pub const NOT_AVAILABLE: (&str, &str) = ("55000", messages::KEYS_NOT_AVAILABLE);

/// A provider that fails in one way.
pub struct Fault {
    issuer: String,
    provider: Provider,
    keys: KeyServer,
    bad: Answer,
    /// The beginning of the error that an administrator sees: what of it is ours. The rest comes from libraries.
    error: String,
}

impl Fault {
    /// `bad` makes the answer for the provider, whose key server has this port.
    pub fn new(error: &str, bad: impl FnOnce(&Provider, u16) -> Answer) -> Fault {
        let keys = KeyServer::start(Answer::Nothing);
        let issuer = format!("issuer {}", keys.port());
        let provider = Provider::new(&issuer);
        let bad = bad(&provider, keys.port());
        keys.answer(bad.clone());
        Fault {
            issuer,
            provider,
            keys,
            bad,
            error: error.to_owned(),
        }
    }

    fn is_shown_in(&self, error: &str) -> bool {
        ![NOT_FETCHED, ""].contains(&error) && error.starts_with(&self.error)
    }
}

/// SQL that presents a token.
pub fn presenting(token: &str) -> String {
    format!("select auth.jwt_session_init('{token}')")
}

/// Whether a key of the issuer is usable, and the error.
pub fn condition(client: &mut Client, issuer: &str) -> (bool, String) {
    let shown = rows(
        client,
        &format!("select bool_or(usable), min(last_error) from auth.providers() where issuer = '{issuer}'"),
    );
    let error = shown[0][1].clone().unwrap_or_default();
    (shown[0][0].as_deref() == Some("t"), error)
}

/// Waits until keys of the issuer are usable without an error: a set applies before its fetch is recorded as ended.
#[track_caller]
pub fn wait_until_good(client: &mut Client, issuer: &str) {
    wait_until(issuer, || condition(client, issuer) == (true, String::new()));
}

pub fn reload(server: &Server) {
    run(
        &mut server.connect("template1", "postgres", ""),
        "select pg_reload_conf()",
    );
}

/// Causes each fault before there was a valid set, and again after one, with a valid answer after each.
pub fn before_and_after_a_good_set(faults: &[Fault]) {
    let entries: Vec<String> = faults.iter().map(|it| entry(&it.issuer, &it.keys.url())).collect();
    let server = server_with(&entries, "");
    let connect = || server.connect("template1", "postgres", "");
    at_once(faults, |fault| no_token_is_accepted(connect(), fault));
    faults
        .iter()
        .for_each(|it| it.keys.answer(Answer::Body(it.provider.key_set())));
    reload(&server);
    let mut living: Vec<Client> = faults.iter().map(|_| connect()).collect();
    for (client, fault) in living.iter_mut().zip(faults) {
        let present = presenting(&fault.provider.token("alice"));
        wait_until(&fault.error, || client.batch_execute(&present).is_ok());
        wait_until_good(client, &fault.issuer);
    }
    faults.iter().for_each(|it| it.keys.answer(it.bad.clone()));
    at_once(faults, |fault| known_keys_stay_valid(connect(), fault));
    for (client, fault) in living.iter_mut().zip(faults) {
        assert_eq!(user_id(client).as_deref(), Some("alice"), "{}", fault.error);
    }
    let rotated: Vec<Provider> = faults.iter().map(|it| Provider::with_kid(&it.issuer, "k2")).collect();
    for (fault, new) in faults.iter().zip(&rotated) {
        fault.keys.answer(Answer::Body(new.key_set()));
    }
    reload(&server);
    for ((client, fault), new) in living.iter_mut().zip(faults).zip(&rotated) {
        let present = presenting(&new.token("bob"));
        wait_until(&fault.error, || client.batch_execute(&present).is_ok());
        assert_eq!(user_id(client).as_deref(), Some("bob"));
        rejects(
            client,
            &presenting(&fault.provider.token("alice")),
            "28000",
            messages::NO_KEY_OF_TOKEN,
        );
        wait_until_good(client, &fault.issuer);
    }
    let log = server.log();
    // The beginning of every token, before it is signed.
    assert!(!log.contains("eyJ"), "the log has a token");
    for fault in faults {
        let url = fault.keys.url();
        let told = format!("the key set of \"{url}\" cannot be fetched: {}", fault.error);
        let again = format!("the key set of \"{url}\" can be fetched again");
        assert_eq!(log.matches(&told).count(), 2, "{log}");
        assert_eq!(log.matches(&again).count(), 2, "{log}");
    }
}

fn at_once(faults: &[Fault], each: impl Fn(&Fault) + Sync) {
    thread::scope(|scope| {
        for fault in faults {
            scope.spawn(|| each(fault));
        }
    });
}

fn no_token_is_accepted(mut client: Client, fault: &Fault) {
    let present = presenting(&fault.provider.token("mallory"));
    let started = Instant::now();
    rejects(&mut client, &present, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    assert!(started.elapsed() < Duration::from_secs(14), "{}", fault.error);
    // The worker waits longer for a slow answer than a session does.
    let mut shown = condition(&mut client, &fault.issuer);
    while shown.1 == NOT_FETCHED {
        shown = condition(&mut client, &fault.issuer);
    }
    assert!(!shown.0 && fault.is_shown_in(&shown.1), "{shown:?}");
    rejects(&mut client, &present, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    assert_eq!(user_id(&mut client), None);
}

fn known_keys_stay_valid(mut client: Client, fault: &Fault) {
    let unknown = Provider::with_kid(&fault.issuer, "unknown").token("mallory");
    rejects(&mut client, &presenting(&unknown), "28000", messages::NO_KEY_OF_TOKEN);
    wait_until(&fault.error, || {
        fault.is_shown_in(&condition(&mut client, &fault.issuer).1)
    });
    let (usable, error) = condition(&mut client, &fault.issuer);
    assert!(usable && fault.is_shown_in(&error), "{error}");
    assert_eq!(user_id(&mut client), None);
    init(&mut client, &fault.provider.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}
