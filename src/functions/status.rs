//! `auth.status()`: the identity of this session, or the reason why it has none. It never fails.

#![forbid(unsafe_code)]

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;

use crate::error::Failure;
use crate::identity::mode::Mode;
use crate::identity::{current, mode, session_token};
use crate::pg::clock::timestamp;
use crate::pg::sql_types::Text;
use crate::pg::{clock, sql_types};
use crate::token::NumericDate;
use crate::token::identity::{FlatIdentity, IdentityText};

#[pg_schema]
mod auth {
    use pgrx::datum::TimestampWithTimeZone;
    use pgrx::prelude::*;

    use super::Status;
    use crate::pg::sql_types::Text;

    /// The identity of the session, or the reason why it has none.
    #[pg_extern(stable, parallel_restricted)]
    #[expect(clippy::type_complexity, reason = "pgrx reads the columns from the type")]
    fn status() -> TableIterator<
        'static,
        (
            name!(mode, &'static str),
            name!(identity, bool),
            name!(provider, Option<i32>),
            name!(issuer, Option<Text>),
            name!(kid, Option<Text>),
            name!(user_id, Option<Text>),
            name!(expires_at, Option<TimestampWithTimeZone>),
            name!(seconds_left, Option<i64>),
            name!(reason, Option<Text>),
        ),
    > {
        let status = Status::now();
        TableIterator::once((
            status.mode,
            status.identity,
            status.provider,
            status.issuer,
            status.kid,
            status.user_id,
            status.expires_at,
            status.seconds_left,
            status.reason,
        ))
    }
}

/// The row of `auth.status()`.
#[derive(Default)]
pub struct Status {
    pub mode: &'static str,
    pub identity: bool,
    pub provider: Option<i32>,
    pub issuer: Option<Text>,
    pub kid: Option<Text>,
    pub user_id: Option<Text>,
    pub expires_at: Option<TimestampWithTimeZone>,
    pub seconds_left: Option<i64>,
    pub reason: Option<Text>,
}

impl Status {
    /// The status of this session, at this statement.
    pub fn now() -> Self {
        let (mode, no_identity) = match mode::mode_in_transaction() {
            Ok(Mode::Provider(_)) => ("provider", "no token was presented: call auth.jwt_session_init(token)"),
            Ok(Mode::Proxy(_)) => ("proxy", "no token was presented: call auth.jwt_session_init(token)"),
            Ok(Mode::Claims) => (
                "claims",
                "request.jwt.claims is not set, or is not JSON that can be used",
            ),
            Ok(Mode::Off) => ("off", "there is no key, and pg_session_jwt.claims_fallback is off"),
            Err(_) => ("unusable", ""),
        };
        let found = current::read(|identity| identity.map(Status::of));
        match found {
            Ok(Some(status)) => Status {
                mode,
                provider: if mode == "provider" { provider() } else { None },
                ..status
            },
            Ok(None) => Status {
                mode,
                reason: reason(no_identity),
                ..Status::default()
            },
            Err(failure) => Status {
                mode,
                reason: reason(&message(&failure)),
                ..Status::default()
            },
        }
    }

    fn of(identity: FlatIdentity<'_>) -> Self {
        let text = |part| identity.text(part).and_then(sql_types::text).map(Text);
        let user_id = text(IdentityText::UserId);
        let no_user_id = if identity.user_id_malformed() {
            "claim sub is not a string"
        } else {
            "there is no string claim sub"
        };
        Status {
            mode: "",
            identity: true,
            provider: None,
            issuer: text(IdentityText::Issuer),
            kid: text(IdentityText::KeyId),
            reason: if user_id.is_none() { reason(no_user_id) } else { None },
            user_id,
            expires_at: identity.expires().and_then(timestamp),
            seconds_left: identity.expires().map(seconds_from_now),
        }
    }
}

/// The position of the token's provider in the setting, from 1.
fn provider() -> Option<i32> {
    let provider = session_token::read(|token| token?.provider).ok().flatten()?;
    i32::try_from(provider.0).ok()?.checked_add(1)
}

fn reason(text: &str) -> Option<Text> {
    sql_types::text(text.as_bytes()).map(Text)
}

fn message(failure: &Failure) -> String {
    let report = failure.report();
    match report.detail {
        Some(detail) => format!("{} ({detail})", report.message),
        None => report.message,
    }
}

fn seconds_from_now(date: NumericDate) -> i64 {
    date.micros()
        .saturating_sub(clock::statement_start().micros())
        .div_euclid(1_000_000)
}
