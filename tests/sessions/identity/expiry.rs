//! `exp` and `nbf`: compared with the start of the statement, at every use of the identity.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postgres::Client;

use testkit::messages;
use testkit::server::SHARED;
use testkit::session::{Proxy, READERS, init, now, one, rejection, rejection_of, rejects, rejects_token, run, user_id};

/// The current second, just after it began, so that assertions about it hold for most of a second.
fn at_the_beginning_of_a_second() -> i64 {
    let before = now();
    loop {
        let second = now();
        if second > before {
            return second;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Lifetime of the short-lived tokens in seconds, long enough for a busy machine.
const SHORT: f64 = 3.0;

/// `exp` of a token that expires soon, including the leeway. It has a fraction.
fn soon() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    format!("{:.3}", now + SHORT - 60.0)
}

/// Waits until the tokens made so far have expired.
fn wait() {
    std::thread::sleep(Duration::from_secs_f64(SHORT + 0.1));
}

/// A session in which alice has a short-lived identity.
fn short_lived(proxy: &mut Proxy) -> Client {
    let mut client = proxy.session();
    run(&mut client, "select auth.init()");
    let token = proxy.token(&format!(r#""sub":"alice","exp":{}"#, soon()));
    init(&mut client, &token);
    client
}

/// attack: 51
#[test]
fn leeway_is_one_minute() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(&mut client, "select auth.init()");
    let second = at_the_beginning_of_a_second();
    for dates in [format!(r#""exp":{}"#, second - 59), format!(r#""nbf":{}"#, second + 60)] {
        init(&mut client, &proxy.token(&format!(r#""sub":"{second}",{dates}"#)));
        assert_eq!(user_id(&mut client), Some(second.to_string()));
    }
    let late = proxy.token(&format!(r#""exp":{}"#, second - 61));
    rejects_token(&mut client, &late, "28000", messages::EXPIRED);
    let on_the_second = proxy.token(&format!(r#""exp":{}"#, second - 60));
    rejects_token(&mut client, &on_the_second, "28000", messages::EXPIRED);
    let early = proxy.token(&format!(r#""nbf":{}"#, second + 65));
    rejects_token(&mut client, &early, "28000", messages::NOT_YET_VALID);
}

#[test]
fn fractions_of_a_second_count() {
    // `exp` and `nbf` may have fractions.
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(&mut client, "select auth.init()");
    let second = at_the_beginning_of_a_second();
    init(
        &mut client,
        &proxy.token(&format!(r#""sub":"alice","exp":{}.5"#, second - 60)),
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    std::thread::sleep(Duration::from_millis(600));
    rejects(&mut client, "select auth.user_id()", "28000", messages::EXPIRED);
    let rejected = rejection(&mut client, "select auth.user_id()");
    let detail = rejected.detail.unwrap();
    assert!(
        detail.starts_with(&format!("exp={}.500000, now={second}.", second - 60)),
        "{detail}"
    );
    init(
        &mut client,
        &proxy.token(&format!(
            r#""sub":"bob","exp":{}.99999999999999,"nbf":1e3,"iat":0.0"#,
            second + 60
        )),
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

/// attack: 82
#[test]
fn expired_identity_is_an_error_at_each_use() {
    // In leader and worker alike, an identity that has expired is rejected at its next use.
    let mut proxy = Proxy::new();
    let mut client = short_lived(&mut proxy);
    let prepared = client.prepare("select auth.user_id()").unwrap();
    assert_eq!(client.query_one(&prepared, &[]).unwrap().get::<_, &str>(0), "alice");
    let left = one::<i64>(
        &mut client,
        "select seconds_left from auth.status() where expires_at < now()",
    );
    assert!((-60..=-57).contains(&left), "{left}");
    wait();
    for reader in READERS {
        rejects(
            &mut client,
            &format!("select auth.{reader}()"),
            "28000",
            messages::EXPIRED,
        );
    }
    let error = client.query_one(&prepared, &[]).unwrap_err();
    assert_eq!(rejection_of(&error).message, messages::EXPIRED);
    let status = "select mode || ' ' || identity || ' ' || reason from auth.status()";
    let status = one::<String>(&mut client, status);
    assert!(
        status.starts_with(&format!("proxy false {} (exp=", messages::EXPIRED)),
        "{status}"
    );
    init(&mut client, &proxy.token_of("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn expired_identity_can_be_replaced() {
    let mut proxy = Proxy::new();
    let mut client = short_lived(&mut proxy);
    run(&mut client, "begin");
    init(&mut client, &proxy.token_of("bob"));
    wait();
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    run(&mut client, "rollback");
    rejects(&mut client, "select auth.user_id()", "28000", messages::EXPIRED);
    run(&mut client, "reset all");
    assert_eq!(user_id(&mut client), None);
}

/// attack: 52
#[test]
fn open_transaction_does_not_extend_the_identity() {
    // Compared with the start of the statement, not of the transaction.
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(&mut client, "select auth.init()");
    let second = at_the_beginning_of_a_second();
    init(&mut client, &proxy.token(&format!(r#""sub":"alice","exp":{}"#, soon())));
    let short = proxy.token(&format!(r#""sub":"bob","exp":{}"#, soon()));
    let later = proxy.token(&format!(r#""sub":"carol","nbf":{}.9"#, second + 62));
    run(
        &mut client,
        "begin; declare c cursor for select auth.user_id() from generate_series(1, 2); savepoint s",
    );
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    let ready = rejection(&mut client, &format!("select auth.jwt_session_init('{later}')")).message;
    assert_eq!(ready, messages::NOT_YET_VALID);
    run(&mut client, "rollback to s");
    wait();
    rejects(&mut client, "fetch c", "28000", messages::EXPIRED);
    run(&mut client, "rollback to s");
    rejects(&mut client, "select auth.user_id()", "28000", messages::EXPIRED);
    run(&mut client, "rollback to s");
    rejects(
        &mut client,
        &format!("select auth.jwt_session_init('{short}')"),
        "28000",
        messages::EXPIRED,
    );
    run(&mut client, "rollback to s");
    init(&mut client, &later);
    assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
}

/// attack: 82
#[test]
fn running_statement_keeps_its_identity() {
    // Compared with the start of the statement, not of the transaction.
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(
        &mut client,
        "create function before_and_after() returns text language plpgsql as $$
         declare before text := auth.user_id();
         begin
             perform pg_sleep(3.1);
             return before || ' ' || auth.user_id();
         end $$",
    );
    run(&mut client, "select auth.init()");
    init(&mut client, &proxy.token(&format!(r#""sub":"alice","exp":{}"#, soon())));
    assert_eq!(one::<String>(&mut client, "select before_and_after()"), "alice alice");
    rejects(&mut client, "select before_and_after()", "28000", messages::EXPIRED);
}

#[test]
fn a_token_in_the_startup_packet_expires_too() {
    let mut proxy = Proxy::new();
    let database = SHARED.database();
    let token = proxy.token(&format!(r#""sub":"alice","exp":{}"#, soon()));
    let options = format!("{} -c pg_session_jwt.jwt={token}", proxy.options());
    let mut client = SHARED.connect(&database, "postgres", &options);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    wait();
    rejects(&mut client, "select auth.user_id()", "28000", messages::EXPIRED);
}

/// attack: 140
#[test]
fn a_statement_that_commits_does_not_outlive_the_identity() {
    let mut proxy = Proxy::new();
    let mut client = short_lived(&mut proxy);
    let told = "do $$ begin
            for i in 1 .. 40 loop
                perform auth.user_id();
                perform pg_sleep(0.25);
                commit;
            end loop;
        end $$";
    let rejection = rejection(&mut client, told);
    assert_eq!(
        (rejection.sqlstate.as_str(), rejection.message.as_str()),
        ("28000", messages::EXPIRED)
    );
}

#[test]
fn statement_without_commit_keeps_its_identity() {
    let mut proxy = Proxy::new();
    let mut client = short_lived(&mut proxy);
    let told = format!(
        "select auth.user_id() from (select pg_sleep({})) s union all select auth.user_id()",
        SHORT + 0.5
    );
    let users: Vec<String> = client.query(&told, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(users, ["alice", "alice"]);
    rejects(&mut client, "select auth.user_id()", "28000", messages::EXPIRED);
}
