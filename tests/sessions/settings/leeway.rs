//! `pg_session_jwt.leeway`: its range, and who sets it.

use testkit::messages;
use testkit::server::major;
use testkit::session::{Proxy, init, now, rejects, run, user_id};

#[test]
fn leeway_is_set_by_superusers_and_applies_at_once() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(&mut client, "select auth.init()");
    let second = now();
    init(
        &mut client,
        &proxy.token(&format!(r#""sub":"alice","exp":{},"nbf":{}"#, second - 30, second - 90)),
    );
    for (leeway, message) in [
        ("0", messages::EXPIRED),
        ("300", ""),
        ("'29 s'", messages::EXPIRED),
        ("'5 min'", ""),
        ("default", ""),
    ] {
        run(&mut client, &format!("set pg_session_jwt.leeway = {leeway}"));
        if message.is_empty() {
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{leeway}");
        } else {
            rejects(&mut client, "select auth.user_id()", "28000", message);
        }
    }
    init(
        &mut client,
        &proxy.token(&format!(r#""sub":"bob","nbf":{}"#, second + 30)),
    );
    run(&mut client, "set pg_session_jwt.leeway = 0");
    rejects(&mut client, "select auth.user_id()", "28000", messages::NOT_YET_VALID);
    // PostgreSQL 17 was the first to name the unit of the bounds.
    let unit = if major() < 17 { "" } else { " s" };
    for value in [-1, 301] {
        let message = format!(
            "{value} s is outside the valid range for parameter \"pg_session_jwt.leeway\" (0{unit} .. 300{unit})"
        );
        rejects(
            &mut client,
            &format!("set pg_session_jwt.leeway = {value}"),
            "22023",
            &message,
        );
    }
    run(&mut client, "set role authenticated");
    for setting in [
        "leeway = 300",
        "claims_fallback = on",
        "audit_log = off",
        "log_user_id = off",
    ] {
        let name = setting.split_once(' ').unwrap().0;
        let message = format!("permission denied to set parameter \"pg_session_jwt.{name}\"");
        rejects(&mut client, &format!("set pg_session_jwt.{setting}"), "42501", &message);
    }
}
