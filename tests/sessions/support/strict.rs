//! A server that accepts no claims and allows no leeway.

use std::sync::LazyLock;

use postgres::Client;
use testkit::loading::is_loaded;
use testkit::server::Server;
use testkit::session::{one, rows, user_id};

/// A server that accepts no claims and allows no leeway, unless a client circumvents that.
pub static STRICT: LazyLock<Server> =
    LazyLock::new(|| Server::start("pg_session_jwt.claims_fallback = off\npg_session_jwt.leeway = 0"));

#[track_caller]
pub fn stays_strict(client: &mut Client, after: &str) {
    assert!(!is_loaded(client));
    assert_eq!(user_id(client), None, "after {after}");
    assert_eq!(
        one::<String>(client, "select mode from auth.status()"),
        "off",
        "after {after}"
    );
    let shown = "select current_setting('pg_session_jwt.claims_fallback'), current_setting('pg_session_jwt.leeway')";
    let expected = [["off", "0"].map(|text| Some(text.to_owned()))];
    assert_eq!(rows(client, shown), expected, "after {after}");
}
