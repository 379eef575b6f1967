//! What an attacker stores in the role that all users share.

use serde_json::json;
use testkit::server::Server;
use testkit::session::one;

use super::scene::{Scene, database_with_rows};
use crate::{create_login, settings};

/// Each role may store settings and a password for itself. SET ROLE does not apply them. A separate server, since they are
/// settings of the role in all databases.
/// attack: 62
#[test]
fn settings_planted_in_a_role_have_no_effect() {
    let server = Server::start(&settings());
    create_login(&server);
    let database = database_with_rows(&server);
    let scene = Scene::on(&server, &database);
    let plant = [
        "alter role authenticated password 'hacked'",
        "alter role authenticated set search_path = pg_temp",
        "alter role authenticated set row_security = off",
        "alter role authenticated set role = 'anonymous'",
        "alter role authenticated set statement_timeout = 1",
    ];
    scene.mallory_gets(&plant, &json!([]));
    let mut admin = server.connect("postgres", "postgres", "");
    let planted: i64 = one(
        &mut admin,
        "select count(*) from pg_db_role_setting where setrole = 'authenticated'::regrole",
    );
    assert_eq!(planted, 1);
    let scene = Scene::on(&server, &database);
    scene.unharmed();
    let shown = "select current_setting('search_path'), current_setting('row_security')";
    scene.mallory_gets(&[shown], &json!([["\"$user\", public", "on"]]));
    for sql in [
        "alter role authenticated bypassrls",
        "alter role authenticated superuser",
        "alter role authenticated login",
        "alter role jwt_gateway set search_path = pg_temp",
        "grant postgres to authenticated",
    ] {
        scene.mallory_gets(&[sql], &json!("42501"));
    }
}
