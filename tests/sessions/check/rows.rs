//! The findings of auth.check() agree with the rows that policies permit. The conditions of `policies` are evaluated in an
//! anonymous session and for several users, over many kinds of rows.

use std::collections::BTreeSet;

use postgres::Client;
use testkit::session::run;

use crate::check::conditions::{CLOSED, OPEN};
use crate::check::policies::TABLES;
use crate::check::support::Site;

pub const ROWS: &str = "
    alter table members disable row level security;
    insert into members select team, user_id, is_public
      from unnest(array[1, 2, null]) team, unnest(array[null, '', 'u1', 'alice', 'zoe']) user_id, unnest(array[true, false]) is_public;
    insert into docs select row_number() over (), owner, owner_id, is_public, team, members, note
      from unnest(array[null, '', 'u1', 'alice', 'zoe']) owner,
           unnest(array[null, '1d0c7a57-6b1b-4d6b-9f1f-3b0b8a1f2c3d']::uuid[]) owner_id, unnest(array[null, true, false]) is_public,
           unnest(array[null, 1]) team,
           (values (null::text[]), ('{}'), ('{alice}'), ('{null}'), ('{all}')) m (members),
           unnest(array[null, '{}', '[\"alice\"]', 'null', '{\"sub\": \"alice\"}']::jsonb[]) note;";

const USERS: [&str; 5] = [
    r#"{"sub": "alice", "email": "alice@example.com", "role": "editor", "admin": true, "friends": ["u1"], "teams": ["u1"],
        "blocked": ["u1"], "roles": ["admin"], "app": {"role": "admin"},
        "o": {"id": "1d0c7a57-6b1b-4d6b-9f1f-3b0b8a1f2c3d"}}"#,
    r#"{"sub": "zoe", "email": "zoe@example.org", "role": "banned", "admin": false, "friends": [], "blocked": ["alice"],
        "roles": [], "app": {"role": "user"}, "o": {}}"#,
    r#"{"sub": "u1", "role": "admin"}"#,
    r#"{"sub": "1d0c7a57-6b1b-4d6b-9f1f-3b0b8a1f2c3d"}"#,
    r#"{"sub": "stranger"}"#,
];

/// The rows of docs that a session with these claims sees; None where the condition fails.
fn seen_by(client: &mut Client, claims: &str) -> Option<BTreeSet<i32>> {
    run(
        client,
        &format!("set request.jwt.claims = '{claims}'; set role authenticated"),
    );
    let rows = client.query("select id from docs", &[]);
    run(client, "reset role");
    Some(rows.ok()?.iter().map(|row| row.get(0)).collect())
}

/// Whether an anonymous session sees a row that one of the users does not.
fn favours_anonymous(client: &mut Client, using: &str) -> bool {
    run(
        client,
        &format!(
            "drop policy if exists p on docs; create policy p on docs for select to authenticated using ({using})"
        ),
    );
    let anonymous = seen_by(client, "").unwrap_or_default();
    USERS
        .iter()
        .any(|claims| seen_by(client, claims).is_some_and(|seen| !anonymous.is_subset(&seen)))
}

#[test]
fn the_rows_agree_with_the_findings() {
    let mut site = Site::new();
    let client = &mut site.admin;
    run(
        client,
        &format!("{TABLES}{ROWS}; set pg_session_jwt.claims_fallback = on"),
    );
    for using in CLOSED {
        assert!(!favours_anonymous(client, using), "{using}");
    }
    // auth.session() is never NULL, so this one is true in every session; the checker evaluates its intent.
    let intended = "auth.session() is not null";
    for using in OPEN {
        assert_eq!(favours_anonymous(client, using), *using != intended, "{using}");
    }
}
