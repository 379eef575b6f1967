//! `auth.status()`: the identity of this session, or the reason why it has none. It never fails.

#![forbid(unsafe_code)]

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;

use crate::functions::policy_bypass;
use crate::identity::mode::Mode;
use crate::identity::{current, mode, request_claims, session_token};
use crate::pg::clock::timestamp;
use crate::pg::sql_types::Text;
use crate::pg::{clock, sql_types};
use crate::token::identity::{FlatIdentity, IdentityText};
use crate::token::{Excerpt, NumericDate};

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
            name!(warning, Option<Text>),
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
            status.warning,
        ))
    }
}

/// Why an identity of the session does not count.
const OUTLASTS: &str = "the identity was set for the session, and pg_session_jwt.identity_scope is transaction";

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
    /// Why policies do not restrict a session that has an identity.
    pub warning: Option<Text>,
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
            Ok(Some((status, user_id_malformed))) => Status {
                mode,
                provider: if mode == "provider" { provider() } else { None },
                reason: match &status.user_id {
                    Some(_) => None,
                    None => no_user_id(user_id_malformed),
                },
                warning: policy_bypass::warning(),
                ..status
            },
            Ok(None) => Status {
                mode,
                reason: reason(
                    if session_token::outlasts() || mode == "claims" && request_claims::outlast() {
                        OUTLASTS
                    } else {
                        no_identity
                    },
                ),
                ..Status::default()
            },
            Err(failure) => Status {
                mode,
                reason: reason(&failure.line()),
                ..Status::default()
            },
        }
    }

    /// The status of an identity, and whether its user-id claim is malformed.
    fn of(identity: FlatIdentity<'_>) -> (Self, bool) {
        let text = |part| identity.text(part).and_then(sql_types::text).map(Text);
        let user_id = text(IdentityText::UserId);
        let status = Status {
            mode: "",
            identity: true,
            provider: None,
            issuer: text(IdentityText::Issuer),
            kid: text(IdentityText::KeyId),
            reason: None,
            warning: None,
            user_id,
            expires_at: identity.expires().and_then(timestamp),
            seconds_left: identity.expires().map(seconds_from_now),
        };
        (status, identity.user_id_malformed())
    }
}

/// Why there is no user id, with the name of the claim that would be it.
fn no_user_id(is_malformed: bool) -> Option<Text> {
    let claim = Excerpt::new(&current::user_id_claim());
    reason(&if is_malformed {
        format!("claim {claim} is not a string")
    } else {
        format!("there is no string claim {claim}")
    })
}

/// The position of the token's provider in the setting, from 1.
fn provider() -> Option<i32> {
    let provider = session_token::read(|token| token?.provider).ok().flatten()?;
    i32::try_from(provider.0).ok()?.checked_add(1)
}

fn reason(text: &str) -> Option<Text> {
    sql_types::text(text.as_bytes()).map(Text)
}

fn seconds_from_now(date: NumericDate) -> i64 {
    date.micros()
        .saturating_sub(clock::statement_start().micros())
        .div_euclid(1_000_000)
}
