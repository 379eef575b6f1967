//! Tokens that the provider has not signed, or not as a token for this server.

use rstest::rstest;
use serde_json::json;
use testkit::forgeries::{Forgery, HEADER, RsaPadding};
use testkit::messages;
use testkit::session::{now, run};

use super::scene::{MALLORY, Scene, WHO, database_with_rows, victim};
use crate::running::Response;
use crate::{BOB, SERVER};

/// The longest token for which the gateway has a place among the headers.
const LONGEST: usize = 60_000;

/// Presents a token as authToken of both roles, and by SQL, with an identity and without. Each answer must be an error.
pub fn answers(scene: &Scene, token: &str) -> Vec<Response> {
    let mut answers = Vec::new();
    let fits = token.trim() == token && token.len() < LONGEST && token.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    if fits && !token.is_empty() {
        for role in ["authenticated", "anonymous"] {
            answers.push(scene.gateway.client(role, Some(token)).query(WHO, &[]));
        }
    }
    let init = "select auth.jwt_session_init($1)";
    answers.push(scene.mallory().query(init, &[json!(token)]));
    let set = "select set_config('pg_session_jwt.jwt', $1, false)";
    answers.push(scene.visitor().query(set, &[json!(token)]));
    scene.unharmed();
    answers
}

fn are_rejected(scene: &Scene, forgeries: &[Forgery]) {
    for forgery in forgeries {
        for (status, body) in answers(scene, &forgery.token) {
            assert_eq!(
                (status, &body["code"], &body["message"]),
                (400, &json!(forgery.sqlstate), &json!(forgery.message)),
                "{:.200}",
                forgery.token
            );
        }
    }
}

/// attack: 1, 2, 3, 4, 5, 8, 9, 10, 11, 32, 33, 35, 39, 42
#[test]
fn not_signed_by_the_provider() {
    are_rejected(&Scene::shared(), &victim().not_signed());
}

/// attack: 13, 14, 15, 17, 18, 19, 20, 21, 22, 27, 28, 29, 30, 53, 55, 153
#[test]
fn signed_for_another_purpose() {
    are_rejected(&Scene::shared(), &victim().no_tokens());
}

/// attack: 38, 40
#[test]
fn malformed_rsa_padding() {
    let padding = RsaPadding::new();
    let database = database_with_rows(&SERVER);
    let providers = format!(
        "alter database {database} set pg_session_jwt.providers =
         '[{{\"issuer\":\"https://id.example/\",\"jwks\":{{\"keys\":[{}]}}}},
           {{\"issuer\":\"rsa\",\"jwks\":{{\"keys\":[{}]}}}}]'",
        victim().public_keys(),
        padding.jwk()
    );
    run(&mut SERVER.connect(&database, "postgres", ""), &providers);
    let scene = Scene::on(&SERVER, &database);
    for tokens in padding.tokens(&format!(r#"{{"iss":"rsa","sub":"{MALLORY}","exp":{}}}"#, now() + 600)) {
        for (what, forgery) in &tokens.forgeries {
            for (status, body) in answers(&scene, forgery) {
                let expected = (400, &json!("28000"), &json!(messages::INVALID_SIGNATURE));
                assert_eq!((status, &body["code"], &body["message"]), expected, "{what}");
            }
        }
        assert_eq!(scene.gateway.with(&tokens.good).rows(WHO), json!([[MALLORY, "own"]]));
        scene.unharmed();
    }
}

/// attack: 16, 54
#[rstest]
#[case(r#""aud":"other""#, messages::OTHER_AUDIENCE)]
#[case(r#""aud":"Todos""#, messages::OTHER_AUDIENCE)]
#[case(r#""aud":"todos,other""#, messages::OTHER_AUDIENCE)]
#[case(r#""aud":"""#, messages::OTHER_AUDIENCE)]
#[case(r#""aud":[]"#, messages::OTHER_AUDIENCE)]
#[case(r#""aud":[["todos"]]"#, messages::AUDIENCE_NOT_A_STRING)]
#[case(r#""aud":["todos",1]"#, messages::AUDIENCE_NOT_A_STRING)]
#[case(r#""aud":null"#, messages::AUDIENCE_NOT_A_STRING)]
#[case(r#""azp":"todos""#, messages::OTHER_AUDIENCE)]
fn for_another_service(#[case] audience: &str, #[case] message: &str) {
    let scene = Scene::shared();
    let claims = victim().payload(&format!(r#""sub":"{BOB}""#));
    let token = victim().signed(HEADER, claims.replace(r#""aud":"todos""#, audience));
    for (status, body) in answers(&scene, &token) {
        let expected = (400, &json!("28000"), &json!(message));
        assert_eq!((status, &body["code"], &body["message"]), expected);
    }
}

/// attack: 23, 24, 26, 48, 49, 50
#[test]
fn bombs() {
    let scene = Scene::shared();
    let mut bombs = victim().bombs();
    bombs.extend(["a".repeat(65_537), "a.".repeat(1_000_000), "e30.".repeat(100_000)]);
    for bomb in bombs {
        for (status, body) in answers(&scene, &bomb) {
            assert_eq!((status, &body["code"]), (400, &json!("28000")), "{body} {bomb:.200}");
        }
    }
    let token = victim().with_many_members();
    let last = scene
        .gateway
        .with(&token)
        .rows("select auth.user_id(), auth.session() ->> 'm3799'");
    assert_eq!(last, json!([[MALLORY, "3799"]]));
    scene.unharmed();
}

/// Texts that are no header, or one that the gateway does not read.
/// attack: 20, 29
#[rstest]
#[case("Basic {hers}", "28000")]
#[case("Bearer", "28000")]
#[case("{hers}", "28000")]
#[case("Bearer {hers} {hers}", "28000")]
#[case("Bearer {hers},{hers}", "28000")]
#[case("Bearer \"{hers}\"", "28000")]
fn no_bearer_token(#[case] header: &str, #[case] code: &str) {
    let scene = Scene::shared();
    let body = json!({"query": WHO});
    let header = scene.sql(header);
    let client = scene.gateway.client("authenticated", None);
    let (status, answer) = client.post(&body, &[("Authorization", &header)]);
    assert_eq!((status, &answer["code"]), (400, &json!(code)), "{answer}");
    scene.unharmed();
}
