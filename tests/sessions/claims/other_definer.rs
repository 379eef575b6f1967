//! `request.jwt.claims` belongs to the library that defined it first. The setting of another library is used as it is,
//! and not defined a second time.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use postgres::Client;

use testkit::server::{SHARED, pg_config, unprivileged_user};
use testkit::session::{Proxy, claims, init, one, run, user_id};

/// A library that only defines the setting, built with the compiler that the extension needs.
static OTHER: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = r#"
        #include "postgres.h"
        #include "fmgr.h"
        #include "utils/guc.h"
        PG_MODULE_MAGIC;
        static char *claims = NULL;
        void _PG_init(void);
        void _PG_init(void)
        {
            DefineCustomStringVariable("request.jwt.claims", "Another library's.", NULL, &claims, NULL,
                                       PGC_USERSET, 0, NULL, NULL, NULL);
        }
    "#;
    let directory = SHARED.directory().join("other");
    std::fs::create_dir(&directory).unwrap();
    let (file, library) = (directory.join("other.c"), directory.join("other.so"));
    std::fs::write(&file, source).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-w", "-I"])
        .arg(pg_config("--includedir-server"))
        .arg(&file)
        .arg("-o")
        .arg(&library);
    let output = cc.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    if let Some((uid, gid)) = unprivileged_user() {
        std::os::unix::fs::chown(&library, Some(uid), Some(gid)).unwrap();
    }
    library
});

fn with_the_other(database: &str, options: &str) -> Client {
    let mut client = SHARED.connect(database, "postgres", options);
    run(&mut client, &format!("load '{}'", OTHER.display()));
    let whose = "select short_desc from pg_settings where name = 'request.jwt.claims'";
    assert_eq!(one::<String>(&mut client, whose), "Another library's.");
    client
}

#[test]
fn claims_are_read_from_another_librarys_setting() {
    let database = SHARED.database();
    let mut client = with_the_other(&database, "");
    assert_eq!((user_id(&mut client), claims(&mut client)), (None, "null".to_owned()));
    for (text, session, user) in [
        (r#"{"sub":"alice"}"#, r#"{"sub": "alice"}"#, Some("alice")),
        (r#"{"sub":"bob"}"#, r#"{"sub": "bob"}"#, Some("bob")),
        ("not JSON", "null", None),
        ("", "null", None),
        ("[1]", "[1]", None),
    ] {
        run(&mut client, &format!("set request.jwt.claims = '{text}'"));
        assert_eq!(
            (claims(&mut client).as_str(), user_id(&mut client).as_deref()),
            (session, user),
            "{text}"
        );
    }
    run(&mut client, r#"set request.jwt.claims = '{"sub":"alice"}'"#);
    run(&mut client, r#"begin; set local request.jwt.claims = '{"sub":"bob"}'"#);
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    run(&mut client, "rollback");
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    run(&mut client, "reset all");
    assert_eq!(user_id(&mut client), None);
    // Freed and allocated again, often at the same address.
    for number in 0..100 {
        run(
            &mut client,
            &format!(r#"set request.jwt.claims = '{{"sub":"user{number:03}"}}'"#),
        );
        assert_eq!(user_id(&mut client), Some(format!("user{number:03}")));
    }
}

#[test]
fn another_librarys_claims_are_ignored_when_a_key_is_set() {
    let mut proxy = Proxy::new();
    let mut client = with_the_other(&SHARED.database(), &proxy.options());
    run(&mut client, r#"set request.jwt.claims = '{"sub":"mallory"}'"#);
    assert_eq!((user_id(&mut client), claims(&mut client)), (None, "null".to_owned()));
    init(&mut client, &proxy.token_of("alice"));
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn later_definition_by_another_library_is_rejected() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(&mut client, r#"set request.jwt.claims = '{"sub":"alice"}'"#);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let error = client
        .batch_execute(&format!("load '{}'", OTHER.display()))
        .unwrap_err();
    let message = "attempt to redefine parameter \"request.jwt.claims\"";
    assert_eq!(error.as_db_error().unwrap().message(), message);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}
