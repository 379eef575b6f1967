//! 64 connections that change their identities at random. At each moment the rows are what the clients know.
//!
//! PG_SESSION_JWT_ACTIVITY is the number of moments (100), and PG_SESSION_JWT_ACTIVITY_SEED the seed of the first.

use std::collections::BTreeMap;

use postgres::Client;
use proptest::prelude::*;

use testkit::cases::Seeds;
use testkit::session::{rows, run};

use super::support::{Site, pid};

const CONNECTIONS: usize = 64;
const CHANGES: usize = 20;

/// What a connection does.
#[derive(Debug, Clone, Copy)]
enum Change {
    Set(usize),
    SetLocal(usize),
    Reset,
    Begin,
    Savepoint,
    RollbackTo,
    Commit,
    Rollback,
    Fail,
    Reconnect,
}

/// A connection, and what it knows about its identities.
struct Connection {
    client: Client,
    pid: i32,
    /// The identity of the session, if no transaction is open.
    committed: Option<usize>,
    /// The states of the open transaction and of its savepoints.
    open: Vec<State>,
}

/// The identity after the end of the transaction, and the one until then.
#[derive(Clone, Copy)]
struct State {
    session: Option<usize>,
    local: Option<Option<usize>>,
}

impl Connection {
    fn new(site: &Site) -> Connection {
        let mut client = site.session();
        Connection {
            pid: pid(&mut client),
            client,
            committed: None,
            open: Vec::new(),
        }
    }

    /// What its row has to show.
    fn expected(&self) -> Option<(usize, &'static str)> {
        match self.open.last() {
            None => self.committed.map(|user| (user, "session")),
            Some(State { local: Some(local), .. }) => local.map(|user| (user, "transaction")),
            Some(State { session, local: None }) => session.map(|user| (user, "session")),
        }
    }

    fn apply(&mut self, change: Change, site: &Site, tokens: &[String]) {
        match change {
            Change::Set(user) => {
                run(
                    &mut self.client,
                    &format!("set pg_session_jwt.jwt = '{}'", tokens[user]),
                );
                self.set(Some(user));
            }
            Change::Reset => {
                run(&mut self.client, "reset pg_session_jwt.jwt");
                self.set(None);
            }
            Change::SetLocal(user) => {
                if let Some(state) = self.open.last_mut() {
                    run(
                        &mut self.client,
                        &format!("select auth.jwt_session_init('{}', true)", tokens[user]),
                    );
                    state.local = Some(Some(user));
                }
            }
            Change::Begin if self.open.is_empty() => {
                run(&mut self.client, "begin");
                self.open.push(State {
                    session: self.committed,
                    local: None,
                });
            }
            Change::Savepoint => {
                if let Some(state) = self.open.last().copied() {
                    run(&mut self.client, "savepoint s");
                    self.open.push(state);
                }
            }
            Change::RollbackTo if self.open.len() > 1 => {
                run(&mut self.client, "rollback to s; release s");
                self.open.pop();
            }
            Change::Commit => {
                if let Some(state) = self.open.last() {
                    self.committed = state.session;
                    run(&mut self.client, "commit");
                    self.open.clear();
                }
            }
            Change::Rollback if !self.open.is_empty() => {
                run(&mut self.client, "rollback");
                self.open.clear();
            }
            Change::Fail => {
                // The error ends the effects of the transaction before its rollback.
                self.client.batch_execute("select 1 / 0").unwrap_err();
                if self.open.pop().is_some() {
                    self.open.clear();
                    run(&mut self.client, "rollback");
                }
            }
            Change::Reconnect => *self = Connection::new(site),
            Change::Begin | Change::RollbackTo | Change::Rollback => {}
        }
    }

    /// Follows SET or RESET.
    fn set(&mut self, user: Option<usize>) {
        match self.open.last_mut() {
            Some(state) => {
                state.session = user;
                state.local = None;
            }
            None => self.committed = user,
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..CONNECTIONS).prop_map(Change::Set),
        4 => (0..CONNECTIONS).prop_map(Change::SetLocal),
        1 => Just(Change::Reset),
        4 => Just(Change::Begin),
        2 => Just(Change::Savepoint),
        2 => Just(Change::RollbackTo),
        2 => Just(Change::Commit),
        2 => Just(Change::Rollback),
        1 => Just(Change::Fail),
        1 => Just(Change::Reconnect),
    ]
}

#[test]
fn rows_are_what_the_clients_know() {
    let mut seeds = Seeds::from_environment("PG_SESSION_JWT_ACTIVITY", 100);
    let mut site = Site::new();
    let tokens: Vec<String> = (0..CONNECTIONS)
        .map(|user| {
            site.provider
                .token_with(&format!(r#""sub":"user{user}","exp":4000000000"#))
        })
        .collect();
    let mut connections: Vec<Connection> = (0..CONNECTIONS).map(|_| Connection::new(&site)).collect();
    let changes = prop::collection::vec((0..CONNECTIONS, change()), CHANGES);
    for _ in 0..seeds.wanted {
        seeds.test(&changes, |changes| {
            for (index, change) in changes {
                connections[index].apply(change, &site, &tokens);
            }
            let known: BTreeMap<String, String> = connections
                .iter()
                .filter_map(|connection| {
                    let (user, scope) = connection.expected()?;
                    Some((connection.pid.to_string(), format!("user{user} {scope}")))
                })
                .collect();
            // The row of a connection that has just ended may still be there.
            let pids: Vec<String> = connections
                .iter()
                .map(|connection| connection.pid.to_string())
                .collect();
            let sql = format!(
                "select pid, user_id, scope from auth.activity() where pid in ({})",
                pids.join(", ")
            );
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let shown: BTreeMap<String, String> = rows(&mut site.monitor, &sql)
                .iter()
                .map(|row| (text(&row[0]), format!("{} {}", text(&row[1]), text(&row[2]))))
                .collect();
            if shown == known {
                Ok(())
            } else {
                Err(format!("{shown:#?} instead of {known:#?}"))
            }
        });
    }
    println!(
        "{} moments of {CONNECTIONS} connections, seeds from {}",
        seeds.wanted, seeds.first
    );
}
