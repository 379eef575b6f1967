//! Random steps on two servers, of which one has no cache. Both must give the same answers after every step.
//!
//! The server without a cache is the model: it verifies each token with what it has at that moment. Steps change the
//! providers of databases and sessions, a key file, roles and the leeway, and open sessions in databases of two encodings.
//!
//! PG_SESSION_JWT_TWINS is the number of steps (1000), PG_SESSION_JWT_TWINS_SEED the first seed. A failure prints the seed
//! that repeats it first, and the shortest game like it that fails.

mod deployment;
mod step;

use std::time::{Duration, Instant};

use proptest::collection::vec;

use crate::shared_cache::support::ELSEWHERE;
use deployment::{DATABASES, Deployment, SESSIONS};
use step::{Step, draw};
use testkit::cases::Seeds;

/// The average number of lists in a game, and of steps in a list: a game that shrinks loses whole lists first.
const LISTS: usize = 16;

#[test]
fn a_cache_changes_no_answer() {
    let mut seeds = Seeds::from_environment("PG_SESSION_JWT_TWINS", 1_000);
    let (began, mut deployment, mut played) = (Instant::now(), Deployment::new(), 0);
    let lists = vec(vec(draw(), 1..2 * LISTS), 1..2 * LISTS);
    while played < seeds.wanted {
        seeds.test(&lists, |lists| {
            deployment.begin();
            for step in lists.concat() {
                deployment.play(step)?;
                played += 1;
            }
            Ok(())
        });
    }
    let found = deployment.origins(ELSEWHERE);
    println!(
        "{played} steps, {} s, {} accepted, {found} found, seeds from {}",
        began.elapsed().as_secs(),
        deployment.accepted,
        seeds.first
    );
    // Otherwise the games would have tested nothing.
    assert!(seeds.wanted < 1_000 || (found > 10 && deployment.accepted > 50));
}

impl Deployment {
    /// Plays a step on both servers.
    fn play(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Open { session, database } => self.open(session, database),
            Step::Role { session, role } => self.set_role(session, role),
            Step::Leeway { session, seconds } => {
                self.set(session, &format!("set pg_session_jwt.leeway = {seconds}"));
            }
            Step::Providers { session, list } => {
                let list = self.providers(list);
                self.set(session, &format!("set pg_session_jwt.providers = '{list}'"));
            }
            Step::Stored { database, list } => self.store(database, list),
            Step::File { content, are_open } => {
                self.write_file(content);
                if are_open {
                    // Sessions inspect the file once a second.
                    std::thread::sleep(Duration::from_millis(1_100));
                } else {
                    // Each of them, because one that stays open would notice the file on one server before the other.
                    (0..SESSIONS).for_each(|session| self.open(session, session % DATABASES));
                }
            }
            Step::Present { session, token } => return self.present(session, token),
            Step::Read { session } => return self.read(session),
        }
        Ok(())
    }
}
