//! The steps, and how often each is drawn.

use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;

use super::deployment::{CONTENTS, DATABASES, LISTS, SESSIONS, TOKENS, VARIANTS};

/// A step. Numbers are positions in the lists of [`Deployment`](super::deployment::Deployment).
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// A session ends, and another begins in its place.
    Open {
        session: usize,
        database: usize,
    },
    Role {
        session: usize,
        role: &'static str,
    },
    Leeway {
        session: usize,
        seconds: u32,
    },
    /// A superuser sets the providers of the session.
    Providers {
        session: usize,
        list: usize,
    },
    /// The providers of a database, which later sessions have.
    Stored {
        database: usize,
        list: usize,
    },
    /// The key file is replaced or removed, under open sessions or with all of them closed.
    File {
        content: usize,
        are_open: bool,
    },
    Present {
        session: usize,
        token: usize,
    },
    Read {
        session: usize,
    },
}

pub fn draw() -> impl Strategy<Value = Step> {
    let session = 0..SESSIONS;
    let role = prop_oneof![Just("none"), Just("authenticated"), Just("anonymous")];
    prop_oneof![
        70 => (session.clone(), prop_oneof![3 => 0..VARIANTS, 1 => 0..TOKENS]).prop_map(|(session, token)| Step::Present { session, token }),
        10 => session.clone().prop_map(|session| Step::Read { session }),
        20 => (session.clone(), 0..DATABASES).prop_map(|(session, database)| Step::Open { session, database }),
        5 => (session.clone(), role).prop_map(|(session, role)| Step::Role { session, role }),
        5 => (session.clone(), prop_oneof![Just(0), Just(300)])
            .prop_map(|(session, seconds)| Step::Leeway { session, seconds }),
        5 => (session, 0..LISTS).prop_map(|(session, list)| Step::Providers { session, list }),
        5 => (0..DATABASES, 0..LISTS).prop_map(|(database, list)| Step::Stored { database, list }),
        2 => (0..CONTENTS, any::<u8>())
            .prop_map(|(content, chance)| Step::File { content, are_open: chance < 32 }),
    ]
}
