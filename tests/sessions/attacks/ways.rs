//! The ways in which mallory becomes `authenticated`, and what her sessions see.

use postgres::Client;

use super::deployment::Deployment;
use testkit::session::{Rejection, rejection, rows};

/// How mallory becomes `authenticated`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// She logs in as that role.
    Login,
    /// The application logs in, and its session becomes that role.
    SetRole,
    /// The same through PgBouncer in transaction mode, where all clients share one server session.
    Pooled,
}

pub const WAYS: [Way; 3] = [Way::Login, Way::SetRole, Way::Pooled];

/// Runs an attack in each way, each on a separate deployment.
pub fn in_every_way(attack: impl Fn(&Deployment)) {
    for way in WAYS {
        eprintln!("{way:?}");
        attack(&Deployment::new(way));
    }
}

/// The user of a session and the rows it sees, by a simple query, because PgBouncer 1.18 has no prepared statements.
pub fn who(client: &mut Client) -> String {
    let sql = "select coalesce(auth.user_id(), '(none)'), (select string_agg(task, ' ' order by id) from public.todos)";
    let row = rows(client, sql).remove(0);
    row.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

/// The result of `who` for mallory with her token, and without one.
pub const MALLORY: &str = "mallory: own";

pub const ANONYMOUS: &str = "(none)";

/// Asserts that a statement is rejected with this SQLSTATE and leaves mallory's identity and rows unchanged.
#[track_caller]
pub fn fails(client: &mut Client, sql: &str, sqlstate: &str) -> Rejection {
    let before = who(client);
    let rejected = rejection(client, sql);
    assert_eq!(rejected.sqlstate, sqlstate, "{}: {rejected:?}", short(sql));
    assert_eq!(who(client), before, "after {}", short(sql));
    rejected
}

/// The first value of the only row of a simple query.
pub fn value(client: &mut Client, sql: &str) -> Option<String> {
    rows(client, sql).remove(0).remove(0)
}

/// The beginning of an SQL text, which may contain a long token.
pub fn short(sql: &str) -> &str {
    &sql[..sql.floor_char_boundary(160)]
}
