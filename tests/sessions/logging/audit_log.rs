//! The audit log: one line for each accepted or rejected token, which no client can forge.

use serde_json::json;

use testkit::messages;
use testkit::server::SHARED;
use testkit::session::{Proxy, init, one, rejection_of, rejects, run, user_id, ways_to_present};

use crate::support::audit_log::{AUDIT, AUDITED, Audited};

#[test]
fn each_accepted_or_rejected_token_is_one_line() {
    // One line for each token, not for each call.
    let proxy = Proxy::new();
    let mut session = Audited::new(&proxy.options());
    let token = proxy.with_header(
        r#"{"alg":"EdDSA","kid":"k1"}"#,
        r#"{"jti":1,"iss":"https://example.com/","sub":"alice","aud":["a","b"],"email":"secret@example.com"}"#,
    );
    init(&mut session.client, &token);
    let expected = json!({
        "event": "accepted", "iss": "https://example.com/", "sub": "alice", "aud": ["a", "b"], "jti": 1, "kid": "k1"
    });
    assert_eq!(session.audit(), [expected]);
    for (number, sql) in ways_to_present(&proxy.raw(r#"{"jti":1,"sub":"bob","aud":"c"}"#))
        .iter()
        .enumerate()
    {
        rejects(&mut session.client, sql, "28000", messages::TOKEN_ID_REPLAYED);
        let expected = json!({
            "event": "rejected", "sub": "bob", "aud": "c", "jti": 1, "sqlstate": "28000",
            "reason": messages::TOKEN_ID_REPLAYED
        });
        assert_eq!(session.audit()[number + 1..], [expected]);
    }
    let lines = session.audit().len();
    rejects(
        &mut session.client,
        "select auth.jwt_session_init('nonsense')",
        "28000",
        messages::INVALID_ENCODING,
    );
    let expected = json!({ "event": "rejected", "reason": messages::INVALID_ENCODING, "sqlstate": "28000" });
    assert_eq!(session.audit()[lines..], [expected]);
    for (way, user) in ["bob", "carol", "dave", "eve"].into_iter().enumerate() {
        let token = proxy.token_with_jti(2 + i64::try_from(way).unwrap(), &format!(r#""sub":"{user}""#));
        run(&mut session.client, &ways_to_present(&token)[way]);
        assert_eq!(session.audit().last().unwrap()["sub"], user);
    }
    assert_eq!(session.audit().len(), lines + 5);
}

#[test]
fn the_use_of_an_identity_is_never_logged() {
    // One line for each token, not for each call.
    let mut proxy = Proxy::new();
    let mut session = Audited::new(&proxy.options());
    init(&mut session.client, &proxy.token_of("greta"));
    run(
        &mut session.client,
        "create temp table t as select from generate_series(1, 1000);
         select auth.user_id(), auth.session() from t;
         begin; savepoint s; set local pg_session_jwt.jwt = ''; rollback to s; commit;
         begin; reset all; rollback;
         select count(*) from pg_class, pg_class c where auth.user_id() = pg_class.relname",
    );
    init(&mut session.client, &proxy.token_of("henry"));
    assert_eq!(user_id(&mut session.client).as_deref(), Some("henry"));
    assert_eq!(session.audit().len(), 2);
    // Nor do workers, whose lines would come from other processes.
    assert_eq!(AUDITED.log().matches(r#""sub":"greta""#).count(), 1);
    let mut claims = Audited::new(r#"-c request.jwt.claims={"sub":"carol"}"#);
    assert_eq!(user_id(&mut claims.client).as_deref(), Some("carol"));
    assert_eq!(claims.audit().len(), 0);
}

#[test]
fn startup_packet_token_is_one_line_at_its_first_use() {
    // One line for each token, not for each call.
    let mut proxy = Proxy::new();
    let good = proxy.token_of("frank");
    let mut session = Audited::new(&format!("{} -c pg_session_jwt.jwt={good}", proxy.options()));
    run(&mut session.client, "select count(auth.user_id()) from pg_class");
    run(&mut session.client, "select auth.session()");
    assert_eq!(
        session.audit(),
        [json!({ "event": "accepted", "sub": "frank", "jti": 1 })]
    );

    let bad = Proxy::new().token_of("mallory");
    let mut session = Audited::new(&format!("{} -c pg_session_jwt.jwt={bad}", proxy.options()));
    for _ in 0..3 {
        rejects(
            &mut session.client,
            "select auth.user_id()",
            "28000",
            messages::INVALID_SIGNATURE,
        );
    }
    let expected = json!({
        "event": "rejected", "reason": messages::INVALID_SIGNATURE, "sqlstate": "28000", "sub": "mallory", "jti": 1
    });
    assert_eq!(session.audit(), [expected]);
}

/// attack: 113
#[test]
fn names_cannot_forge_a_line() {
    let proxy = Proxy::new();
    let mut session = Audited::new(&proxy.options());
    let before = session.lines().len();
    let forged = format!(
        r"x\n{} LOG:  {AUDIT}{{\u0022sub\u0022:\u0022admin\u0022}}\r\u001b[2J\u202e\u2028\u0085é",
        session.pid
    );
    let aud = vec![format!("\"{forged}\""); 20].join(",");
    let payload = format!(r#"{{"jti":1,"sub":"{forged}","iss":"{forged}","aud":[{aud}]}}"#);
    let header = format!(r#"{{"alg":"EdDSA","kid":"{forged}"}}"#);
    init(&mut session.client, &proxy.with_header(&header, &payload));
    let bad = Proxy::new().with_header(&header, &payload.replace(r#""jti":1"#, &format!(r#""jti":"{forged}""#)));
    let error = session
        .client
        .execute("select auth.jwt_session_init($1)", &[&bad])
        .unwrap_err();
    assert_eq!(rejection_of(&error).message, messages::INVALID_SIGNATURE);
    let audit = session.audit();
    assert_eq!(audit.len(), 2, "{audit:?}");
    for (line, event) in audit.iter().zip(["accepted", "rejected"]) {
        assert_eq!(line["event"], event);
        for name in ["sub", "iss", "kid"] {
            let shown = line[name].as_str().unwrap();
            assert!(
                shown.starts_with(r"x\u{a}") && shown.contains(r"\u{202e}\u{2028}\u{85}\u{e9}"),
                "{shown}"
            );
        }
        assert!(line["aud"].as_array().unwrap().len() <= 10);
    }
    for line in &session.lines()[before..] {
        assert!(
            line.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)),
            "{line:?}"
        );
        assert!(line.len() < 16_384, "{}", line.len());
    }
    let long = proxy.with_header(
        r#"{"alg":"EdDSA"}"#,
        &format!(r#"{{"jti":2,"sub":"{}"}}"#, "s".repeat(40_000)),
    );
    init(&mut session.client, &long);
    assert_eq!(session.audit()[2]["sub"], "s".repeat(256));
}

#[test]
fn nothing_is_logged_unless_a_superuser_enables_it() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    init(&mut client, &proxy.token_of("alice"));
    let pid = one::<i32>(&mut client, "select pg_backend_pid()");
    let bad = Proxy::new().token_of("mallory of nothing is logged");
    client.execute("select auth.jwt_session_init($1)", &[&bad]).unwrap_err();
    assert!(
        !SHARED
            .log()
            .lines()
            .any(|line| line.starts_with(&format!("{pid} ")) && line.contains(AUDIT))
    );
    let denied = "permission denied to set parameter \"pg_session_jwt.audit_log\"";
    let mut session = Audited::new(&proxy.options());
    run(&mut session.client, "select auth.init(); set role authenticated");
    rejects(
        &mut session.client,
        "set pg_session_jwt.audit_log = off",
        "42501",
        denied,
    );
    init(&mut session.client, &proxy.token_of("bob"));
    assert_eq!(session.audit().len(), 1);
}
