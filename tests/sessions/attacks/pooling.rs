//! A session of the server that several clients use in turn: what each of them finds there.
//!
//! Only through PgBouncer in transaction mode, which gives a session to the next client without a reset.

use std::sync::LazyLock;

use postgres::Client;
use testkit::messages;
use testkit::pgbouncer::PgBouncer;
use testkit::session::{Proxy, rejection_of, rows, run};

use super::deployment::{Deployment, connect, request, session_init};
use super::ways::{ANONYMOUS, MALLORY, Way, value, who};

fn pooled() -> Deployment {
    Deployment::new(Way::Pooled)
}

/// Clients of a separate PgBouncer, on the deployment of the other tests.
fn client(bouncer: &PgBouncer, deployment: &Deployment) -> Client {
    connect(bouncer.port, &deployment.database, "app", "").unwrap()
}

const TASKS: &str = "select string_agg(task, ' ' order by id) from public.todos";

/// attack: 84, 86
#[test]
fn local_identity_ends_before_the_next_client() {
    let deployment = pooled();
    for _ in 0..3 {
        assert_eq!(deployment.alice(TASKS).concat(), [Some("secret hidden".to_owned())]);
        assert_eq!(who(&mut deployment.anyone()), ANONYMOUS);
    }
    // Nor does it outlast an error, or a client that disconnects within its transaction.
    let mut client = deployment.anyone();
    let unfinished = format!("begin; {}; select 1 / 0", session_init("alice"));
    client.simple_query(&unfinished).unwrap_err();
    run(&mut client, "rollback");
    assert_eq!(who(&mut deployment.anyone()), ANONYMOUS);
    run(&mut client, &format!("begin; {}", session_init("alice")));
    drop(client);
    assert_eq!(who(&mut deployment.anyone()), ANONYMOUS);
}

/// attack: 68
#[test]
fn session_left_by_an_attacker_is_not_the_victims() {
    let deployment = pooled();
    drop(deployment.mallory());
    // Mallory's identity applies to any client that presents none. Therefore each transaction presents its own.
    assert_eq!(who(&mut deployment.anyone()), MALLORY);
    let insert = "insert into public.todos (task) values ('new') returning user_id";
    assert_eq!(deployment.alice(insert).concat(), [Some("alice".to_owned())]);
    assert_eq!(deployment.alice(TASKS).concat(), [Some("secret hidden new".to_owned())]);
    assert_eq!(who(&mut deployment.anyone()), MALLORY);
}

/// attack: 68
#[test]
fn request_with_a_bad_token_does_not_run_as_previous_user() {
    let deployment = pooled();
    drop(deployment.mallory());
    let bad = Proxy::new().token_of("alice");
    let insert = "insert into public.todos (task) values ('lost')";
    let request = format!("begin; select auth.jwt_session_init('{bad}', true); {insert}; commit");
    let error = deployment.anyone().batch_execute(&request).unwrap_err();
    assert_eq!(rejection_of(&error).sqlstate, "28000");
    let lost = "select count(*) from todos where task = 'lost'";
    assert_eq!(value(&mut deployment.admin(), lost).as_deref(), Some("0"));
}

/// attack: 87
#[test]
fn plan_left_by_alice_gives_mallory_her_own_rows() {
    let deployment = pooled();
    deployment.alice("prepare left_there as select task from public.todos order by id");
    let mut mallory = deployment.mallory();
    for _ in 0..7 {
        assert_eq!(rows(&mut mallory, "execute left_there"), [[Some("own".to_owned())]]);
    }
}

/// attack: 78, 79
#[test]
fn only_a_reset_removes_what_a_user_leaves_in_a_session() {
    // PostgreSQL keeps all of it for the session, which the next client uses: docs/hardening.md, "Reset pooled
    // connections". With server_reset_query_always PgBouncer sends DISCARD ALL after each transaction.
    static RESETTING: LazyLock<PgBouncer> = LazyLock::new(|| {
        let deployment = pooled();
        PgBouncer::start(
            deployment.server,
            "transaction",
            "server_reset_query = DISCARD ALL\nserver_reset_query_always = 1",
        )
    });
    let leave = "create temp table notes as select task from public.todos;
                 prepare left_there as select 1;
                 declare held cursor with hold for select task from public.todos order by id";
    let deployment = pooled();
    deployment.alice(leave);
    let mut mallory = deployment.mallory();
    assert_eq!(
        rows(&mut mallory, "fetch all from held").concat(),
        ["secret", "hidden"].map(|task| Some(task.to_owned()))
    );
    assert_eq!(
        rows(&mut mallory, "select count(*) from notes").concat(),
        [Some("2".to_owned())]
    );

    let deployment = pooled();
    let mut alice = client(&RESETTING, &deployment);
    request(&mut alice, "alice", &format!("set local role authenticated; {leave}"));
    run(
        &mut alice,
        &format!("set role authenticated; {}", session_init("alice")),
    );
    let mut mallory = client(&RESETTING, &deployment);
    for (sql, sqlstate) in [
        ("set role authenticated; fetch all from held", "34000"),
        ("set role authenticated; select * from notes", "42P01"),
        ("set role authenticated; execute left_there", "26000"),
    ] {
        let error = mallory.batch_execute(sql).unwrap_err();
        assert_eq!(rejection_of(&error).sqlstate, sqlstate, "{sql}");
    }
    let anonymous = rows(&mut mallory, "set role authenticated; select auth.user_id()");
    assert_eq!(anonymous, [[None]], "the identity of alice's session");
}

/// attack: 85
#[test]
fn key_dropped_by_the_pooler_enables_no_weaker_mode() {
    let ignoring = |deployment: &Deployment| {
        PgBouncer::start(
            deployment.server,
            "transaction",
            "ignore_startup_parameters = options, pg_session_jwt.jwk",
        )
    };
    for deployment in [pooled(), Deployment::late(Way::Pooled)] {
        let bouncer = ignoring(&deployment);
        let mut proxy = Proxy::new();
        let mut client = connect(bouncer.port, &deployment.database, "app", &proxy.options()).unwrap();
        run(
            &mut client,
            r#"set role authenticated; set request.jwt.claims = '{"sub":"alice"}'"#,
        );
        assert_eq!(who(&mut client), ANONYMOUS);
        let token = proxy.token_of("alice");
        let error = client
            .batch_execute(&format!("select auth.jwt_session_init('{token}')"))
            .unwrap_err();
        assert_eq!(rejection_of(&error).message, messages::UNKNOWN_ISSUER);
        assert_eq!(who(&mut client), ANONYMOUS);
    }
}
