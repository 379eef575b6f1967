//! What the server's log is told of keys that cannot be had: by each session once, and not at every look.

use std::cell::RefCell;

use pgrx::prelude::*;

use crate::pg::clock;
use crate::token::provider::MAX_PROVIDERS;

/// Before the same is told again, in microseconds.
const AGAIN_AFTER: i64 = 60_000_000;

struct Told {
    what: String,
    reason: String,
    at: i64,
}

thread_local! {
    /// Of this process, whatever becomes of the setting in which the files and URLs stand: that may be assigned anew for
    /// each request.
    static TOLD: RefCell<Vec<Told>> = const { RefCell::new(Vec::new()) };
}

/// Tells the log why something cannot be used, unless it was told so within a minute. The reason is the administrator's
/// business: it goes to the log, not to who asks.
pub fn tell(what: &str, reason: &str) {
    if TOLD.with_borrow_mut(|told| is_news(told, what, reason)) {
        log!("pg_session_jwt: {what} cannot be used: {reason}");
    }
}

/// Notes that it can be used: what is wrong with it later is news.
pub fn withdraw(what: &str) {
    TOLD.with_borrow_mut(|told| told.retain(|it| it.what != what));
}

fn is_news(told: &mut Vec<Told>, what: &str, reason: &str) -> bool {
    let now = clock::now().micros();
    let is_recent = |it: &Told| (0..AGAIN_AFTER).contains(&now.saturating_sub(it.at));
    if told
        .iter()
        .any(|it| it.what == what && it.reason == reason && is_recent(it))
    {
        return false;
    }
    told.retain(|it| it.what != what);
    if told.len() >= MAX_PROVIDERS {
        told.remove(0);
    }
    told.push(Told {
        what: what.to_owned(),
        reason: reason.to_owned(),
        at: now,
    });
    true
}
