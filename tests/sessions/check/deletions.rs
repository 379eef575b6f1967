//! What a policy for DELETE says of a condition, and the rows of docs that an anonymous session, alice, bob and mallory
//! can delete by it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use postgres::Client;
use testkit::server::Server;
use testkit::session::{one, run};

use crate::check::policies::{TABLES, WITHOUT_POLICY};
use crate::check::rows::ROWS;
use crate::check::support::{found, owned, set_up, start};

/// The users, each with the claims of its token; the first one has none. Mallory has been granted nothing.
pub const USERS: [(&str, &str); 4] = [
    ("", ""),
    (
        "alice",
        r#"{"sub": "alice", "role": "authenticated", "aud": "authenticated", "iss": "https://issuer.test",
            "email": "alice@example.com", "is_admin": "true", "org_id": "org_a"}"#,
    ),
    (
        "bob",
        r#"{"sub": "bob", "role": "authenticated", "aud": "authenticated", "iss": "https://issuer.test",
            "email": "bob@example.com", "org_id": "org_b"}"#,
    ),
    (
        "mallory",
        r#"{"sub": "mallory", "role": "authenticated", "aud": "authenticated", "iss": "https://issuer.test",
            "email": "mallory@example.com", "org_id": "org_m", "user_metadata": {"is_admin": "true", "role": "admin", "roles": ["admin"], "team": 1},
            "unsafe_metadata": {"role": "admin"}, "custom": {"user_metadata": {"role": "admin"}},
            "https://example.com/user_metadata": {"role": "admin"}}"#,
    ),
];

/// Which rows a user deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    None,
    Some,
    All,
}

/// A database with rows of many kinds.
pub struct Deletions {
    server: Mutex<Server>,
}

impl Deletions {
    pub fn new(statements: &str) -> Deletions {
        let server = start();
        let mut admin = set_up(&server);
        run(&mut admin, TABLES);
        run(&mut admin, statements);
        assert_eq!(found(&mut admin), owned(&WITHOUT_POLICY));
        run(
            &mut admin,
            &format!(
                "{ROWS}; insert into docs (owner) values ('mallory'); alter table members enable row level security"
            ),
        );
        Deletions {
            server: Mutex::new(server),
        }
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asserts the same findings and the same deletions for each condition.
    #[track_caller]
    pub fn expect(&self, conditions: &[&str], findings: &[&str], rows: [Deleted; 4]) {
        let expected: (Vec<String>, _) = (findings.iter().map(|finding| (*finding).to_owned()).collect(), rows);
        let all = conditions.iter().map(|condition| (*condition, self.of(condition)));
        let wrong: Vec<_> = all.filter(|(_, found)| *found != expected).collect();
        assert_eq!(wrong, [], "expected {expected:?}");
    }

    /// The findings of auth.check() for a condition, and the rows that each of the users deletes.
    fn of(&self, condition: &str) -> (Vec<String>, [Deleted; 4]) {
        let server = self.server();
        let mut admin = server.connect("site", "postgres", "");
        let policy = format!(
            "drop policy if exists p on docs; create policy p on docs for delete to authenticated using ({condition})"
        );
        run(&mut admin, &policy);
        let findings = found(&mut admin).into_iter().map(|(finding, _)| finding).collect();
        run(&mut admin, "set pg_session_jwt.claims_fallback = on");
        let all: i64 = one(&mut admin, "select count(*) from docs");
        (findings, USERS.map(|(_, claims)| deleted(&mut admin, claims, all)))
    }
}

fn deleted(admin: &mut Client, claims: &str, all: i64) -> Deleted {
    run(
        admin,
        &format!("set request.jwt.claims = '{claims}'; begin; set local role authenticated"),
    );
    let rows = admin.execute("delete from docs", &[]);
    run(admin, "rollback");
    match rows {
        Ok(rows) if rows == u64::try_from(all).unwrap() => Deleted::All,
        Ok(0) => Deleted::None,
        Err(error) => panic!("{error:?}"),
        Ok(_) => Deleted::Some,
    }
}
