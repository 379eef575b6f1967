//! Key sets over TLS: the provider needs a certificate for its host from an authority that the server trusts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use postgres::Client;
use testkit::key_server::{Answer, KeyServer, wait_until};
use testkit::key_server_tls::{Authority, self_signed, start_tls};
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{init, rejects, run, user_id};

use crate::support::environment::program;
use crate::support::jwks_faults::{NOT_AVAILABLE, NOT_FETCHED, condition, presenting, reload, wait_until_good};
use crate::support::jwks_url::{conf, entry};

/// A server with these files beside its data directory, in which it works. Its system authorities are in `system.pem`,
/// and its proxy does not answer.
fn server_with_files(entries: &[String], more: &str, files: &[(&str, &str)]) -> Server {
    let server = Server::start_program(&conf(entries, more), |directory| {
        for (name, content) in files {
            fs::write(directory.join(name), content).unwrap();
        }
        let system = directory.join("system.pem");
        let lines = format!(
            "export SSL_CERT_FILE='{}' HTTPS_PROXY=http://127.0.0.1:1",
            system.display()
        );
        program(directory, &lines)
    });
    run(
        &mut server.connect("template1", "postgres", ""),
        "create extension pg_session_jwt",
    );
    server
}

fn use_file(client: &mut Client, name: &str) {
    run(
        client,
        &format!("alter system set pg_session_jwt.ca_file = '../{name}'"),
    );
}

#[test]
fn certificate_is_accepted_only_for_its_host() {
    let (ours, another, system) = (
        Authority::new("ours"),
        Authority::new("another"),
        Authority::new("system"),
    );
    let namesake = Authority::new("ours");
    let (name, address) = ("localhost", "127.0.0.1");
    let provider = Provider::new("a");
    let good = [
        (ours.certify(name), name),
        (ours.certify(address), address),
        (another.certify(name), name),
    ];
    let bad = [
        (system.certify(address), address, "an authority that is not in the file"),
        (self_signed(address), address, "self-signed"),
        (namesake.certify(address), address, "an authority of the same name"),
        (ours.certify("key.example"), name, "another host name"),
        (ours.certify(name), address, "a host name instead of the address"),
        (ours.certify(address), name, "an address instead of the host name"),
        (ours.certify_for_years(address, (2000, 2020)), address, "expired"),
        (ours.certify_for_years(address, (3000, 4000)), address, "not valid yet"),
    ];
    let serve = |tls| start_tls(tls, Answer::Body(provider.key_set()));
    let good = good.map(|(tls, host)| (serve(tls), host));
    let bad = bad.map(|(tls, host, fault)| (serve(tls), host, fault));
    let url = |keys: &KeyServer, host: &str| keys.url_at(host, "/keys");
    let issuers = good.iter().map(|(keys, host)| url(keys, host));
    let entries: Vec<String> = issuers
        .chain(bad.iter().map(|(keys, host, _)| url(keys, host)))
        .map(|url| entry(&url, &url))
        .collect();
    let file = format!("the first of two\n{}{}", another.pem, ours.pem);
    let files = [("ca.pem", file.as_str()), ("system.pem", &system.pem)];
    let server = server_with_files(&entries, "pg_session_jwt.ca_file = '../ca.pem'", &files);
    let mut client = server.connect("template1", "postgres", "");
    for (keys, host) in &good {
        wait_until_good(&mut client, &url(keys, host));
        assert_eq!(keys.requests(), 1);
    }
    for (keys, host, fault) in &bad {
        let (usable, told) = condition(&mut client, &url(keys, host));
        assert!(!usable && ![NOT_FETCHED, ""].contains(&told.as_str()), "{fault}");
        // An untrusted server gets no request.
        assert_eq!(keys.requests(), 0);
    }
}

#[test]
fn downgrade_to_http_is_rejected() {
    let (ours, provider) = (Authority::new("ours"), Provider::new("a"));
    let plain = KeyServer::start(Answer::Body(provider.key_set()));
    let keys = start_tls(ours.certify("127.0.0.1"), Answer::Redirect(plain.url()));
    let without_tls = plain.url().replace("http:", "https:");
    let entries = [entry("a", &keys.url()), entry("b", &without_tls)];
    let server = server_with_files(
        &entries,
        "pg_session_jwt.ca_file = '../ca.pem'",
        &[("ca.pem", &ours.pem)],
    );
    let mut client = server.connect("template1", "postgres", "");
    let elsewhere = "redirect to another host";
    assert_eq!(condition(&mut client, "a"), (false, elsewhere.to_owned()));
    let (usable, error) = condition(&mut client, "b");
    assert!(!usable && !error.is_empty());
    // Three attempts, and three more for each ten seconds that the machine takes until here.
    assert!(keys.requests() >= 3);
    keys.answer(Answer::Steps(vec![
        Answer::Redirect("/moved".to_owned()),
        Answer::Body(provider.key_set()),
    ]));
    reload(&server);
    let present = presenting(&provider.token("alice"));
    wait_until("the set", || client.batch_execute(&present).is_ok());
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    assert!(keys.paths().contains(&"/moved".to_owned()));
    assert_eq!(plain.requests(), 0);
}

#[test]
fn unusable_ca_file_does_not_fall_back_to_system_roots() {
    let (system, other) = (Authority::new("system"), Authority::new("other"));
    let provider = Provider::new("a");
    let keys = start_tls(system.certify("127.0.0.1"), Answer::Body(provider.key_set()));
    let (half, _) = system.pem.split_at(system.pem.len() / 2);
    let broken = system.pem.replace("MII", "M?I");
    let files = [
        ("system.pem", system.pem.as_str()),
        ("empty.pem", ""),
        ("garbage.pem", "neither PEM nor DER"),
        ("half.pem", half),
        ("broken.pem", &broken),
        ("other.pem", &other.pem),
        ("secret.pem", &system.pem),
    ];
    let server = server_with_files(&[entry("a", &keys.url())], "", &files);
    let secret = server.directory().join("secret.pem");
    fs::set_permissions(secret, fs::Permissions::from_mode(0o000)).unwrap();
    let mut client = server.connect("template1", "postgres", "");
    init(&mut client, &provider.token("alice"));
    assert_eq!(keys.requests(), 1);
    let unusable = |name: &str, reason: &str| format!("pg_session_jwt.ca_file \"../{name}\": {reason}");
    let no_certificate = "it has no certificate";
    for (name, reason) in [
        ("missing.pem", "No such file or directory (os error 2)"),
        ("data", "it is not a regular file"),
        ("secret.pem", "Permission denied (os error 13)"),
        ("empty.pem", no_certificate),
        ("garbage.pem", no_certificate),
        ("half.pem", "it is not a well-formed PEM file"),
        ("broken.pem", "it is not a well-formed PEM file"),
        ("other.pem", ""),
    ] {
        let error = match reason {
            "" => String::new(),
            reason => unusable(name, reason),
        };
        use_file(&mut client, name);
        reload(&server);
        // The worker may reload after a session does, and would fetch that session's URL with the previous file.
        std::thread::sleep(Duration::from_millis(500));
        // A separate URL, because a fetched set is not fetched again for a file.
        let entry = entry(name, &keys.url_at("127.0.0.1", &format!("/{name}")));
        run(
            &mut client,
            &format!("alter system set pg_session_jwt.providers = '[{entry}]'"),
        );
        reload(&server);
        wait_until(&error, || {
            let (usable, told) = condition(&mut client, name);
            assert!(!usable);
            ![NOT_FETCHED, ""].contains(&told.as_str()) && told.starts_with(&error)
        });
        let token = presenting(&Provider::new(name).token("mallory"));
        rejects(&mut client, &token, NOT_AVAILABLE.0, NOT_AVAILABLE.1);
    }
    assert_eq!(keys.requests(), 1);
    // Another file applies from the next reload on, at once.
    use_file(&mut client, "system.pem");
    reload(&server);
    let started = Instant::now();
    wait_until_good(&mut client, "other.pem");
    assert!(started.elapsed() < Duration::from_secs(9));
    // The condition of a set that is missing has it fetched again, too.
    let requests = keys.paths().iter().filter(|path| *path == "/other.pem").count();
    assert!((1..=2).contains(&requests), "{requests}");
}
