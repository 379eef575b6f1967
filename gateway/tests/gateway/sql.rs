//! What each person sees and changes, and what is rejected.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::signer::Signer;

use crate::running::Gateway;
use crate::{ALICE, BOB, SERVER, database, token, token_of};

/// attack: 81
#[test]
fn two_people_see_their_own_rows() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let (alice, bob) = (token(ALICE, 600), token(BOB, 600));
    let (alice, bob) = (gateway.with(&alice), gateway.with(&bob));
    let insert = "insert into todos (task) values ($1) returning user_id, task";
    assert_eq!(alice.query(insert, &[json!("a")]).1["rows"], json!([[ALICE, "a"]]));
    assert_eq!(bob.query(insert, &[json!("b")]).1["rows"], json!([[BOB, "b"]]));
    assert_eq!(
        alice.rows("select task, current_user, session_user from todos"),
        json!([["a", "authenticated", "jwt_gateway"]])
    );
    assert_eq!(bob.rows("select task from todos"), json!([["b"]]));
    assert_eq!(
        bob.query("update todos set task = 'c' where user_id = $1", &[json!(ALICE)])
            .1["rowCount"],
        json!(0)
    );
    let (status, body) = bob.query("insert into todos (user_id, task) values ($1, 'd')", &[json!(ALICE)]);
    assert_eq!((status, &body["code"]), (400, &json!("42501")));
    assert_eq!(alice.rows("select task from todos"), json!([["a"]]));
}

#[test]
fn a_visitor_needs_no_token() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let visitor = gateway.client("anonymous", None);
    assert_eq!(
        visitor.rows("select notice, current_user, auth.user_id() from notices"),
        json!([["hello", "anonymous", null]])
    );
    assert_eq!(visitor.error("select from todos"), "42501");
}

#[test]
fn tokens_that_prove_nothing_are_rejected() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let forged = token_of(&Signer::ed25519(), "https://id.example/", ALICE, 600);
    let foreign = token_of(&crate::SIGNER, "https://other.example/", ALICE, 600);
    for token in [forged, foreign, token(ALICE, -600), "a.b.c".to_owned(), "x".to_owned()] {
        assert_eq!(gateway.with(&token).error("select 1"), "28000");
        assert_eq!(gateway.client("anonymous", Some(&token)).error("select 1"), "28000");
    }
}

#[rstest]
#[case("authenticated", None, "28000", "role requires a token")]
#[case("postgres", Some(()), "28000", "user of the connection string is not a role of this gateway")]
#[case("jwt_gateway", Some(()), "28000", "user of the connection string is not a role of this gateway")]
#[case(
    "postgres:secret",
    None,
    "28000",
    "user of the connection string is not a role of this gateway"
)]
#[case("AUTHENTICATED", Some(()), "28000", "user of the connection string is not a role of this gateway")]
fn roles(#[case] role: &str, #[case] with_token: Option<()>, #[case] code: &str, #[case] message: &str) {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let token = token(ALICE, 600);
    let client = gateway.client(role, with_token.map(|()| token.as_str()));
    let (status, body) = client.query("select 1", &[]);
    assert_eq!(
        (status, &body["code"], &body["message"]),
        (400, &json!(code), &json!(message))
    );
}

#[test]
fn a_batch_is_one_transaction() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let alice = token(ALICE, 600);
    let alice = gateway.with(&alice);
    let insert = "insert into todos (task) values ('a') returning task";
    let (status, body) = alice.batch(&[insert, "select 1/0", insert]);
    assert_eq!(
        (status, &body["code"], &body["queryIndex"]),
        (400, &json!("22012"), &json!(1))
    );
    assert_eq!(alice.rows("select count(*) from todos"), json!([["0"]]));
    let (status, body) = alice.batch(&[
        insert,
        "",
        "savepoint s",
        insert,
        "rollback to s",
        "select count(*) from todos",
    ]);
    assert_eq!(status, 200);
    let commands: Vec<&Value> = body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| &result["command"])
        .collect();
    assert_eq!(commands, ["INSERT", "", "SAVEPOINT", "INSERT", "ROLLBACK", "SELECT"]);
    assert_eq!(body["results"][5]["rows"], json!([["1"]]));
    assert_eq!(alice.batch(&[]), (200, json!({"results": []})));
}

#[test]
fn headers_set_the_transaction() {
    let gateway = Gateway::start(&SERVER, &database(), &[]);
    let alice = token(ALICE, 600);
    let body = json!({"queries": [{"query":
        "select current_setting('transaction_isolation'), current_setting('transaction_read_only'),
         current_setting('transaction_deferrable')"}]});
    let headers = [
        ("Neon-Batch-Isolation-Level", "Serializable"),
        ("Neon-Batch-Read-Only", "true"),
        ("Neon-Batch-Deferrable", "true"),
    ];
    let (_, result) = gateway.with(&alice).post(&body, &headers);
    assert_eq!(result["results"][0]["rows"], json!([["serializable", "on", "on"]]));
    for wrong in [
        ("Neon-Batch-Isolation-Level", "serializable"),
        ("Neon-Batch-Read-Only", "yes"),
    ] {
        let (status, result) = gateway.with(&alice).post(&body, &[wrong]);
        assert_eq!((status, &result["code"]), (400, &json!("22023")));
    }
}

#[test]
fn a_deferred_constraint_fails_the_request() {
    let database = database();
    let mut owner = SERVER.connect(&database, "postgres", "");
    testkit::session::run(
        &mut owner,
        "create table once (n int unique deferrable initially deferred); grant insert on once to authenticated",
    );
    let gateway = Gateway::start(&SERVER, &database, &[]);
    let alice = token(ALICE, 600);
    assert_eq!(gateway.with(&alice).error("insert into once values (1), (1)"), "23505");
    assert_eq!(
        owner
            .query_one("select count(*) from once", &[])
            .unwrap()
            .get::<_, i64>(0),
        0
    );
}
