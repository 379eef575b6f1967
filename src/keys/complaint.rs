//! Messages in the server's log about unusable keys, once from each session and not at every attempt.

use std::cell::RefCell;

use pgrx::prelude::*;

use crate::pg::clock;
use crate::token::provider::MAX_PROVIDERS;

/// The time before the same message is repeated, in microseconds.
const REPEATED_AFTER: i64 = 60_000_000;

struct Complaint {
    subject: String,
    reason: String,
    at: i64,
}

thread_local! {
    /// The complaints of this process. They outlive the setting that has the files and URLs, because that may be assigned
    /// for each request.
    static LOGGED: RefCell<Vec<Complaint>> = const { RefCell::new(Vec::new()) };
}

/// Logs why `subject` is unusable, unless the same was logged within a minute. The reason is for the administrator: it goes
/// to the log, and not to the client.
pub fn log(subject: &str, reason: &str) {
    if LOGGED.with_borrow_mut(|logged| is_news(logged, subject, reason)) {
        log!("pg_session_jwt: {subject} cannot be used: {reason}");
    }
}

/// Notes that `subject` is usable: a later problem is logged at once.
pub fn withdraw(subject: &str) {
    LOGGED.with_borrow_mut(|logged| logged.retain(|it| it.subject != subject));
}

/// Whether a complaint was not logged within a minute. Records it.
fn is_news(logged: &mut Vec<Complaint>, subject: &str, reason: &str) -> bool {
    let now = clock::now().micros();
    let is_recent = |it: &Complaint| (0..REPEATED_AFTER).contains(&now.saturating_sub(it.at));
    if logged
        .iter()
        .any(|it| it.subject == subject && it.reason == reason && is_recent(it))
    {
        return false;
    }
    logged.retain(|it| it.subject != subject);
    if logged.len() >= MAX_PROVIDERS {
        logged.remove(0);
    }
    logged.push(Complaint {
        subject: subject.to_owned(),
        reason: reason.to_owned(),
        at: now,
    });
    true
}
