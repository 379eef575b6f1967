//! Random orders of steps by which users and superusers change trust, on a real server, compared with a model after
//! every step.
//!
//! One law is checked on the server's own answers. A user's step never gives a session more trust. A superuser's step
//! that removes trust never gives any to an open session.
//!
//! PG_SESSION_JWT_TRUST is the number of steps (10000), PG_SESSION_JWT_TRUST_SEED the first seed. A failure prints the
//! seed that repeats it first, and the shortest game like it that fails.

mod deployment;
mod model;
mod step;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use proptest::collection::vec;

use deployment::{CHANGING, Deployment, database_name};
use model::{Config, Name, Session};
use step::{Draw, SAYINGS, Step, draw, removes};
use testkit::cases::Seeds;
use testkit::server::major;
use testkit::session::{Rejection, run};
use testkit::wire::Wire;

/// The average number of lists in a game, and of steps in a list: a game that shrinks loses whole lists first. A game
/// begins without sessions and settings.
const LISTS: usize = 32;

/// The maximum number of databases.
const DATABASES: usize = 3;

/// attack: 145
#[test]
fn only_superusers_grant_trust_and_withdrawal_is_final() {
    let mut seeds = Seeds::from_environment("PG_SESSION_JWT_TRUST", 10_000);
    let (began, mut deployment, mut reached, mut played) = (Instant::now(), Deployment::new(), BTreeSet::new(), 0);
    let lists = vec(vec(draw(major() >= 18), 1..2 * LISTS), 1..2 * LISTS);
    while played < seeds.wanted {
        seeds.test(&lists, |lists| {
            let mut game = Game::new(&mut deployment);
            played += game.play(&lists.concat());
            reached.append(&mut game.reached);
            Ok(())
        });
    }
    println!(
        "{played} steps, {} s, seeds from {}; sessions were {reached:?}",
        began.elapsed().as_secs(),
        seeds.first
    );
    // Otherwise the games would have tested nothing.
    let mut wanted = vec![
        "",
        "a=alice a=bob",
        "a=alice a=bob b=alice",
        "b=alice",
        "claims",
        "client",
        "server",
    ];
    if major() >= 18 {
        wanted.extend(["a=alice", "login rejected", "changing rejected", "changing let in"]);
    }
    let missed: Vec<_> = wanted.into_iter().filter(|it| !reached.contains(*it)).collect();
    assert!(
        seeds.wanted < 10_000 || missed.is_empty(),
        "seeds from {}: {missed:?}",
        seeds.first
    );
}

struct Open {
    wire: Wire,
    model: Session,
    /// The users that it could become at the last check.
    whom: BTreeSet<&'static str>,
}

struct Game<'a> {
    deployment: &'a mut Deployment,
    config: Config,
    open: Vec<Open>,
    databases: usize,
    granted: bool,
    history: String,
    reached: BTreeSet<String>,
}

impl<'a> Game<'a> {
    fn new(deployment: &'a mut Deployment) -> Self {
        deployment.reset(DATABASES);
        let mut game = Game {
            deployment,
            config: Config::default(),
            open: Vec::new(),
            databases: 1,
            granted: true,
            history: String::new(),
            reached: BTreeSet::new(),
        };
        game.grant(false);
        game
    }

    /// Returns the number of steps.
    fn play(&mut self, draws: &[Draw]) -> u64 {
        for draw in draws {
            let step = draw.resolve(self.open.len(), self.databases);
            writeln!(self.history, "{step:?}").unwrap();
            self.take(&step);
        }
        u64::try_from(draws.len()).unwrap()
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Say { session, sql } => {
                let wire = &mut self.open[session].wire;
                let _ = wire.query(SAYINGS[sql]);
                let _ = wire.query("rollback");
                self.ask(session, true);
            }
            Step::Connect { database, packet } => {
                let wire = self.deployment.connect(database, packet, &[]);
                match (Session::open(&self.config, database, packet), wire) {
                    (Some(mut model), Ok(wire)) => {
                        let whom = model.answer(&self.config).0;
                        self.open.push(Open { wire, model, whom });
                        self.ask(self.open.len() - 1, false);
                    }
                    (None, Err(rejection)) => {
                        let expected = if packet.login { ["28000", "42501"] } else { ["42501"; 2] };
                        assert!(
                            expected.contains(&rejection.sqlstate.as_str()),
                            "{rejection:?}{}",
                            self.history()
                        );
                        self.reached.extend(packet.login.then(|| "login rejected".to_owned()));
                    }
                    (model, wire) => panic!("{:?}, not {model:?}{}", wire.err(), self.history()),
                }
            }
            Step::Attack { database, packet, way } => {
                let [options, jwk] = self.deployment.two_keys();
                let more = match way {
                    0 => vec![("pg_session_jwt.providers", "")],
                    1 => vec![("pg_session_jwt.claims_fallback", "on")],
                    2 => vec![("pg_session_jwt.client_keys", "on")],
                    3 => vec![("pg_session_jwt.lost_providers", "")],
                    4 => vec![("pg_session_jwt.login_identity", "")],
                    5 => vec![("pg_session_jwt.bind_login_identity", "off")],
                    _ => vec![("options", options.as_str()), ("pg_session_jwt.jwk", jwk.as_str())],
                };
                let rejected: Option<Rejection> = self.deployment.connect(database, packet, &more).err();
                assert!(rejected.is_some(), "it was let in{}", self.history());
            }
            Step::Disconnect { session } => drop(self.open.swap_remove(session)),
            Step::Put {
                session,
                name,
                value,
                is_local,
            } => {
                let (setting, text) = self.deployment.text(name, value.unwrap_or(0));
                let value_text = value.map_or("null".to_owned(), |_| format!("'{text}'"));
                let open = &mut self.open[session];
                let before = open.model.value(&self.config, name);
                open.wire
                    .run(&format!("select put('{setting}', {value_text}, {is_local})"));
                open.model.put(&self.config, name, value, is_local);
                let after = open.model.value(&self.config, name);
                self.ask(session, is_local || removes(name, before, after));
            }
            Step::File { name, value } => {
                let before = self.config.clone();
                self.config.set_file(name, value);
                self.deployment.set_file(name, value);
                let removes = removes(name, before.file(name), self.config.file(name));
                self.reload(&before, removes);
            }
            Step::Store {
                place,
                name,
                value,
                reload,
            } => {
                let before = self.config.clone();
                self.config.store(place, name, value);
                self.deployment.store(place, name, value);
                if reload {
                    // A stored value applies to new sessions, and gives open ones nothing.
                    self.reload(&before, true);
                }
            }
            Step::Copy { database } => self.copy(database),
            Step::Grant { given } => self.grant(given),
            Step::ConnectAsChanging => self.connect_as_changing(),
        }
    }

    /// Checks which users a session may become now. `no_more`: not more than before.
    fn ask(&mut self, session: usize, no_more: bool) {
        let open = &mut self.open[session];
        let (whom, is_now) = self.deployment.ask(&mut open.wire);
        let before = std::mem::replace(&mut open.whom, whom.clone());
        let (expected, expected_now) = open.model.answer(&self.config);
        let model = format!("{:?}", open.model);
        assert!(
            !no_more || whom.is_subset(&before),
            "the law is broken: it may be {whom:?} and could be {before:?}; {model}{}",
            self.history()
        );
        assert_eq!(whom, expected, "{model}{}", self.history());
        let agrees = match expected_now {
            Some(expected) => is_now == expected,
            None => is_now.len() == 5 && !["alice", "-"].contains(&is_now.as_str()),
        };
        assert!(
            agrees,
            "it is {is_now}, not {expected_now:?}; {model}{}",
            self.history()
        );
        self.reached.insert(whom.into_iter().collect::<Vec<_>>().join(" "));
    }

    fn reload(&mut self, before: &Config, no_more: bool) {
        let marker = self.deployment.reload().to_string();
        for session in 0..self.open.len() {
            let open = &mut self.open[session];
            let began = Instant::now();
            while open.wire.one("show commit_siblings").as_deref() != Some(&marker) {
                assert!(began.elapsed() < Duration::from_secs(60), "the file is not read");
                sleep(Duration::from_millis(1));
            }
            open.model.reload(before, &self.config);
            self.ask(session, no_more);
        }
    }

    fn copy(&mut self, database: usize) {
        let new = if self.databases < DATABASES {
            self.databases
        } else {
            DATABASES - 1
        };
        let from = if database == new { 0 } else { database };
        self.open
            .retain(|open| open.model.database != from && open.model.database != new);
        run(
            &mut self.deployment.admin,
            &format!("drop database if exists {} with (force)", database_name(new)),
        );
        let copy = format!(
            "create database {} template {}",
            database_name(new),
            database_name(from)
        );
        run(&mut self.deployment.admin, &copy);
        self.config.forget(new);
        self.databases = self.databases.max(new + 1);
        for session in 0..self.open.len() {
            self.ask(session, true);
        }
    }

    fn grant(&mut self, given: bool) {
        let sql = match given {
            true => format!("grant pg_read_server_files to between; grant between to {CHANGING}"),
            false => format!("revoke between from {CHANGING}"),
        };
        if given != self.granted {
            run(&mut self.deployment.admin, &sql);
        }
        self.granted = given;
    }

    fn connect_as_changing(&mut self) {
        if major() < 18 {
            return;
        }
        let let_in = self.deployment.connect_as_changing().is_ok();
        let expected = !self.granted && self.config.file(Name::Providers) & 1 == 1;
        assert_eq!(let_in, expected, "{}", self.history());
        if self.config.file(Name::Providers) & 1 == 1 {
            let how = if let_in { "changing let in" } else { "changing rejected" };
            self.reached.insert(how.to_owned());
        }
    }

    fn history(&self) -> String {
        format!("\nafter\n{}", self.history)
    }
}
