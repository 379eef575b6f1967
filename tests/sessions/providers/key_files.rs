//! Key sets of providers in files of the server, and secrets that other users must not read.

use std::fs;

use testkit::messages;
use testkit::provider::{Provider, database, set_providers};
use testkit::server::SHARED;
use testkit::session::{init, now, one, rejection, rejects, run, user_id};
use testkit::signer::Signer;

#[test]
fn a_key_file_is_read_again_when_it_changes() {
    let (old, new) = (Provider::new("a"), Provider::new("a"));
    let path = SHARED.directory().join("a-key-file.json");
    let database = SHARED.database();
    set_providers(
        &database,
        &format!(r#"[{{"issuer":"a","jwks_file":"{}"}}]"#, path.display()),
    );
    let mut client = SHARED.connect(&database, "postgres", "");
    let with_old = format!("select auth.jwt_session_init('{}')", old.token("alice"));
    rejects(&mut client, &with_old, "55000", messages::KEYS_NOT_AVAILABLE);

    let replace = |text: &str| {
        let fresh = path.with_extension("new");
        fs::write(&fresh, text).unwrap();
        fs::rename(&fresh, &path).unwrap();
        // The file is checked once a second.
        std::thread::sleep(std::time::Duration::from_millis(1100));
    };
    replace(&old.key_set());
    run(&mut client, &with_old);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    replace(&new.key_set());
    rejects(
        &mut client,
        "select auth.user_id()",
        "28000",
        messages::INVALID_SIGNATURE,
    );
    init(&mut client, &new.token("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    replace("not JSON");
    rejects(
        &mut client,
        "select auth.user_id()",
        "55000",
        messages::KEYS_NOT_AVAILABLE,
    );
    let name = rejection(&mut client, "select auth.user_id()");
    assert!(!format!("{name:?}").contains("a-key-file"), "{name:?}");
    assert!(
        SHARED
            .log()
            .contains(&format!("a-key-file.json\" cannot be used: {}", messages::NOT_A_KEY))
    );
    replace(&new.key_set());
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    fs::remove_file(&path).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    rejects(
        &mut client,
        "select auth.user_id()",
        "55000",
        messages::KEYS_NOT_AVAILABLE,
    );
}

#[test]
fn secret_is_accepted_where_only_superusers_can_read() {
    let secret = Signer::hmac(32);
    let entry = format!(r#"{{"issuer":"a","jwks":{{"keys":[{}]}}}}"#, secret.jwk(""));
    let payload = format!(r#"{{"iss":"a","sub":"alice","exp":{}}}"#, now() + 60);
    let token = secret.token("HS256", payload);
    // With ALTER DATABASE every role could read it.
    let mut client = SHARED.connect(&database(std::slice::from_ref(&entry)), "postgres", "");
    let unusable = messages::PROVIDERS_UNUSABLE;
    rejects(&mut client, "select auth.user_id()", "22023", unusable);
    assert_eq!(one::<String>(&mut client, "select mode from auth.status()"), "unusable");
    let mut admin = SHARED.connect(&SHARED.database(), "postgres", "");
    run(&mut admin, "select auth.user_id()");
    let stored = rejection(
        &mut admin,
        &format!("alter role all set pg_session_jwt.providers = '[{entry}]'"),
    );
    assert_eq!(stored.sqlstate, "22023");
    let detail = "Provider 1 has a symmetric key where others can read it.";
    assert_eq!(stored.detail.as_deref(), Some(detail));
    // In a file of the server or in the session of a superuser, only superusers can read it.
    run(&mut admin, &format!("set pg_session_jwt.providers = '[{entry}]'"));
    init(&mut admin, &token);
    assert_eq!(user_id(&mut admin).as_deref(), Some("alice"));
}

/// attack: 140
#[test]
fn committing_statement_notices_a_removed_key() {
    let provider = Provider::new("a");
    let path = SHARED.directory().join("taken-away.json");
    fs::write(&path, provider.key_set()).unwrap();
    let database = SHARED.database();
    set_providers(
        &database,
        &format!(r#"[{{"issuer":"a","jwks_file":"{}"}}]"#, path.display()),
    );
    let mut client = SHARED.connect(&database, "postgres", "");
    init(&mut client, &provider.token("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let taken_away = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(1500));
        fs::remove_file(&path).unwrap();
    });
    rejects(
        &mut client,
        "do $$ begin
            for i in 1 .. 40 loop
                perform auth.user_id();
                perform pg_sleep(0.25);
                commit;
            end loop;
        end $$",
        "55000",
        messages::KEYS_NOT_AVAILABLE,
    );
    taken_away.join().unwrap();
}
