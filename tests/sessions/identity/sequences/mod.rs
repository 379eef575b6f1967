//! Random sequences of what a session can do to its identity, compared with a model after every step.
//!
//! PG_SESSION_JWT_SEQUENCES is their number (1000). PG_SESSION_JWT_SEQUENCES_SEED is the seed of the first session: a
//! failure prints its own seed, with which it is the first. The session that failed is played again with fewer and simpler
//! steps, and the shortest one that fails is reported. Tokens are shown by what is in them, never by their text.
//!
//! The settings, the role and the greatest `jti` are modelled; time is not: no token begins or ends during a sequence.

mod draw;
mod model;
mod site;
mod step;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::Client;

use testkit::cases::Seeds;
use testkit::messages;
use testkit::server::Server;
use testkit::session::{one, rejection_of, rows, run};

use draw::{Case, case};
use model::{ABORTED, Answer, Model, Rejected};
use site::{APPLICATION, FUNCTIONS, Key, Keys};
use step::Step;

/// What a session answered: a text, or an error as SQLSTATE and message.
type Answered = Result<String, String>;

/// How some answers begin that a hundred and more of the steps have: without them the sequences would try nothing. A token
/// that a proxy's key rejects after it was set is rare among them, since a session that has lost its providers is in no
/// mode (`worker_errors` has it).
fn to_reach() -> [Answered; 17] {
    let text = |text: &str| Ok(text.to_owned());
    let error = |sqlstate, message| Err(Rejected(sqlstate, message).to_string());
    let caught = |sqlstate, message, status| Ok(format!("{}{status}", Rejected(sqlstate, message)));
    [
        text("NULL; claims f"),
        text("NULL; provider f"),
        text("NULL; proxy f"),
        text("user"),
        text("starter; p"),
        caught("22023", messages::PROVIDERS_UNUSABLE, "; unusable f"),
        caught("28000", messages::ROLE, "; provider f"),
        caught("55000", messages::NO_KEY, ""),
        caught("55000", messages::LOST_PROVIDERS, "; unusable f"),
        error("22012", ""),
        error("28000", messages::INVALID_ENCODING),
        error("25P02", ""),
        error("28000", messages::EXPIRED),
        error("28000", messages::NOT_YET_VALID),
        error("28000", messages::UNKNOWN_ISSUER),
        error("55000", messages::OUTLASTS_TRANSACTION),
        error("42501", "permission denied to set parameter"),
    ]
}

#[test]
fn random_sequences_agree_with_the_model() {
    play(&Server::start(""), "loaded by the first call");
}

#[test]
fn random_sequences_agree_with_the_model_where_the_library_is_preloaded() {
    play(
        &Server::start("shared_preload_libraries = 'pg_session_jwt'"),
        "preloaded",
    );
}

fn begins_with(seen: &Answered, answer: &Answered) -> bool {
    match (seen, answer) {
        (Ok(seen), Ok(text)) => seen.starts_with(text),
        (Err(seen), Err(error)) => seen.starts_with(error),
        _ => false,
    }
}

/// Plays half of the sequences on a separate server, whose file they change.
fn play(server: &Server, how: &str) {
    let mut seeds = Seeds::from_environment("PG_SESSION_JWT_SEQUENCES", 1000);
    let (sequences, first) = (seeds.wanted.div_ceil(2), seeds.first);
    let mut admin = Admin::new(server);
    let (began, mut played, case) = (Instant::now(), Played::default(), case());
    while played.sequences < sequences {
        seeds.test(&case, |case| {
            Session::start(server, &mut admin, &case).play(&case, &mut played)
        });
    }
    let missed = |answer: &Answered| !played.answers.iter().any(|seen| begins_with(seen, answer));
    let missed: Vec<_> = to_reach().into_iter().filter(missed).collect();
    assert!(
        sequences < 500 || missed.is_empty(),
        "no sequence from seed {first} on had: {missed:#?}"
    );
    println!(
        "{how}: {} sequences, {} steps, {} s, seeds from {first}",
        played.sequences,
        played.steps,
        began.elapsed().as_secs()
    );
}

/// What all sessions have played, and what they have answered.
#[derive(Default)]
struct Played {
    sequences: u64,
    steps: usize,
    answers: BTreeSet<Answered>,
}

/// The session that changes the server's file.
struct Admin {
    client: Client,
    database: String,
    keys: Keys,
    /// A setting that every session can read, changed with the providers: a session that sees it has read the file.
    marker: u32,
    is_preloaded: bool,
}

impl Admin {
    fn new(server: &Server) -> Admin {
        let database = server.database();
        let mut client = server.connect(&database, "postgres", "");
        let is_preloaded = one(&mut client, "select current_setting('shared_preload_libraries') <> ''");
        run(&mut client, "load 'pg_session_jwt'");
        run(
            &mut client,
            &format!("create role {APPLICATION} login noinherit; grant authenticated, anonymous to {APPLICATION}"),
        );
        run(&mut client, FUNCTIONS);
        Admin {
            client,
            database,
            keys: Keys::generate(),
            marker: 0,
            is_preloaded,
        }
    }

    fn reload(&mut self, providers: usize) {
        self.marker = (self.marker + 1) % 1000;
        let value = self.keys.providers(providers);
        for sql in [
            format!("alter system set pg_session_jwt.providers = '{value}'"),
            format!("alter system set commit_siblings = {}", self.marker),
            "select pg_reload_conf()".to_owned(),
        ] {
            run(&mut self.client, &sql);
        }
        wait(&mut self.client, self.marker);
    }
}

/// Waits until a session has read the file.
fn wait(client: &mut Client, marker: u32) {
    let started = Instant::now();
    while rows(client, "show commit_siblings") != [[Some(marker.to_string())]] {
        assert!(started.elapsed() < Duration::from_secs(60), "the file is not read");
        sleep(Duration::from_millis(1));
    }
}

struct Session<'a> {
    admin: &'a mut Admin,
    client: Client,
    /// The process, if other sessions can see its identity.
    pid: Option<i32>,
    model: Model,
    /// The texts of the model's tokens.
    texts: Vec<String>,
    history: String,
    answers: BTreeSet<Answered>,
}

impl<'a> Session<'a> {
    fn start(server: &Server, admin: &'a mut Admin, case: &Case) -> Self {
        let (superuser, has_jwk, providers) = (case.superuser, case.has_jwk, case.providers);
        let mut model = Model::new(superuser, has_jwk, providers);
        if let Some(starter) = &case.starter {
            let token = starter.resolve(&model, "starter".to_owned());
            model.starts_with(token);
        }
        admin.reload(providers);
        let mut options = String::new();
        if has_jwk {
            write!(options, "-c pg_session_jwt.jwk={}", admin.keys.jwk(Key::Proxy)).unwrap();
        }
        if let Some(token) = model.tokens.get(1) {
            let text = admin.keys.sign(token).replace(' ', "\\ ");
            write!(options, " -c pg_session_jwt.jwt={text}").unwrap();
        }
        let history = format!("superuser {superuser}, key {has_jwk}, providers {providers}\n");
        let mut client = server.connect(&admin.database, step::login(superuser), &options);
        let pid = admin.is_preloaded.then(|| one(&mut client, "select pg_backend_pid()"));
        Session {
            admin,
            client,
            pid,
            model,
            texts: Vec::new(),
            history,
            answers: BTreeSet::new(),
        }
    }

    fn play(mut self, case: &Case, played: &mut Played) -> Result<(), String> {
        self.compare()?;
        for sequence in &case.sequences {
            for draw in sequence {
                let step = draw.resolve(&mut self.model);
                self.take(&step)?;
            }
            for step in [Step::Rollback { chain: false }, Step::DiscardAll] {
                self.take(&step)?;
            }
            played.sequences += 1;
            played.steps += sequence.len() + 2;
        }
        played.answers.append(&mut self.answers);
        Ok(())
    }

    fn take(&mut self, step: &Step) -> Result<(), String> {
        for token in &self.model.tokens[self.texts.len()..] {
            writeln!(self.history, "    token {}: {token:?}", self.texts.len()).unwrap();
            self.texts.push(self.admin.keys.sign(token));
        }
        writeln!(self.history, "{step:?}").unwrap();
        let expected = self.model.apply(step);
        let seen = match step {
            Step::Reload(providers) => {
                self.admin.reload(*providers);
                wait(&mut self.client, self.admin.marker);
                Ok(String::new())
            }
            _ => self.ask(&step.sql(&self.admin.keys, &self.texts)),
        };
        self.agree(&expected, &seen)?;
        let before = self.shown();
        self.compare()?;
        self.shows(&before)
    }

    /// What `auth.activity()` shows of the session, if the library is preloaded.
    fn shown(&mut self) -> Option<String> {
        let pid = self.pid?;
        let sql = format!("select concat_ws(' ', mode, 't', user_id) from auth.activity() where pid = {pid}");
        let mut rows = rows(&mut self.admin.client, &sql);
        Some(rows.pop().and_then(|mut row| row.pop()?).unwrap_or_default())
    }

    /// Compares what other sessions see with the session's own status, at its use and before.
    fn shows(&mut self, before: &Option<String>) -> Result<(), String> {
        let status =
            "select concat_ws(' ', mode, identity, user_id) from auth.status() where reason is null or identity";
        let (Some(after), false) = (self.shown(), self.model.has_failed()) else {
            return Ok(());
        };
        let status = self.ask(status)?;
        // A role that may not use the token does not end it, and neither does the time.
        let is_still_shown = |reason: &str| {
            let reasons = ["current role", messages::EXPIRED, messages::NOT_YET_VALID];
            reasons.iter().any(|text| reason.contains(text))
        };
        let is_same = match status.is_empty() {
            true => after.is_empty() || is_still_shown(&self.ask("select reason from auth.status()")?),
            false => after == status && [Some(status.as_str()), Some("")].contains(&before.as_deref()),
        };
        match is_same {
            true => Ok(()),
            false => Err(format!(
                "{before:?} and then {after} were shown of {status}, after\n{}",
                self.history
            )),
        }
    }

    /// Compares the identity of the session with that of the model.
    fn compare(&mut self) -> Result<(), String> {
        let seen = self.ask("select probe() || '; ' || concat_ws(' ', mode, identity, user_id) from auth.status()");
        let expected = match self.model.has_failed() {
            true => Err(ABORTED),
            false => Ok(format!("{}; {}", self.model.probe(), self.model.status())),
        };
        self.agree(&expected, &seen)
    }

    /// The last value that the session answers, or its error.
    fn ask(&mut self, sql: &str) -> Answered {
        let messages = self.client.simple_query(sql).map_err(|error| {
            let rejection = rejection_of(&error);
            format!("{} {}", rejection.sqlstate, rejection.message)
        })?;
        let mut answer = String::new();
        for message in messages {
            if let postgres::SimpleQueryMessage::Row(row) = message {
                row.get(0).unwrap_or("NULL").clone_into(&mut answer);
            }
        }
        Ok(answer)
    }

    fn agree(&mut self, expected: &Answer, seen: &Answered) -> Result<(), String> {
        let agree = match (expected, seen) {
            (Ok(expected), Ok(seen)) => seen == expected,
            (Err(expected), Err(seen)) => seen.starts_with(&expected.to_string()),
            _ => false,
        };
        self.answers.insert(seen.clone());
        match agree {
            true => Ok(()),
            false => Err(format!(
                "the model says {expected:?}, the session {seen:?}, after\n{}",
                self.history
            )),
        }
    }
}
