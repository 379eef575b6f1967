//! The functions of schema `auth`. Each asks [`crate::session`] and hands on the answer.

use pgrx::pg_sys::Datum;
use pgrx::prelude::*;

use crate::session;
use crate::token::identity::FlatIdentity;

/// The answer of `ask` for the current identity, NULL without one, an ERROR where it cannot be trusted.
fn current(ask: impl FnOnce(FlatIdentity<'_>) -> Option<Datum>) -> Option<Datum> {
    session::read(|identity| identity.and_then(ask)).unwrap_or_else(|failure| failure.raise())
}

#[pg_schema]
pub mod auth {
    use std::ffi::CString;

    use pgrx::datum::TimestampWithTimeZone;
    use pgrx::pg_sys::{Datum, FunctionCallInfo, JSONBOID, TEXTOID, UUIDOID};
    use pgrx::prelude::*;

    use super::current;
    use crate::datum::{Jsonb, PresentedToken, Text, Uuid, jsonb, member, text, uuid};
    use crate::error::Failure;
    use crate::inventory;
    use crate::per_query;
    use crate::settings::{self, Mode, jwt};
    use crate::status::Status;
    use crate::token::Error;
    use crate::token::identity::{FlatIdentity, Text as Part};

    /// Checks that there is a usable key to verify tokens with.
    #[pg_extern(volatile, parallel_unsafe)]
    fn init() {
        match settings::mode_in_transaction() {
            Ok(Mode::Provider(_) | Mode::Proxy(_)) => {}
            Ok(Mode::Claims | Mode::Off) => Failure::NoKey.raise(),
            Err(failure) => failure.raise(),
        }
    }

    /// Verifies a token and takes on its identity for the session.
    #[pg_extern(volatile, parallel_unsafe)]
    fn jwt_session_init(jwt: PresentedToken) {
        present(jwt, false);
    }

    /// Verifies a token and takes on its identity, with `is_local` until the transaction ends.
    #[pg_extern(volatile, parallel_unsafe, name = "jwt_session_init")]
    fn jwt_session_init_local(jwt: PresentedToken, is_local: bool) {
        present(jwt, is_local);
    }

    fn present(token: PresentedToken, is_local: bool) {
        let refused = |error: Error| -> CString { Failure::Token(error).raise() };
        let token = match token {
            // Assigning an empty value is a logout; presenting an empty token is a mistake.
            PresentedToken::Text(token) if token.is_empty() => refused(Error::NotCompact { parts: 1 }),
            PresentedToken::Text(token) => token,
            PresentedToken::TooLong(bytes) => refused(Error::TokenTooLong { bytes }),
        };
        jwt::present(&token, is_local).unwrap_or_else(|failure| failure.raise());
    }

    /// The user id: claim `sub`, or the one that the provider names.
    #[pg_extern(stable, parallel_safe)]
    fn user_id(call: FunctionCallInfo) -> Option<Text> {
        let ask = |identity: FlatIdentity<'_>| {
            if identity.user_id_malformed() {
                Failure::Token(Error::UserId {
                    claim: "sub",
                    title: "Subject",
                })
                .raise();
            }
            identity.text(Part::UserId).and_then(text)
        };
        per_query::value(call, TEXTOID, || current(ask)).map(Text)
    }

    /// The user id as UUID; NULL where it is none.
    #[pg_extern(stable, parallel_safe)]
    fn uid(call: FunctionCallInfo) -> Option<Uuid> {
        per_query::value(call, UUIDOID, || current(|identity| identity.uid().and_then(uuid))).map(Uuid)
    }

    /// All claims; the JSON null without an identity.
    #[pg_extern(stable, parallel_safe)]
    fn session(call: FunctionCallInfo) -> Option<Jsonb> {
        per_query::value(call, JSONBOID, claims_or_null).map(Jsonb)
    }

    /// All claims; the JSON null without an identity.
    #[pg_extern(stable, parallel_safe)]
    fn jwt(call: FunctionCallInfo) -> Option<Jsonb> {
        per_query::value(call, JSONBOID, claims_or_null).map(Jsonb)
    }

    fn claims_or_null() -> Option<Datum> {
        current(claims).or_else(|| jsonb(b"null"))
    }

    fn claims(identity: FlatIdentity<'_>) -> Option<Datum> {
        identity.text(Part::Claims).and_then(jsonb)
    }

    /// Claim `o`, if it is an object.
    #[pg_extern(stable, parallel_safe)]
    fn organization(call: FunctionCallInfo) -> Option<Jsonb> {
        let ask = |identity: FlatIdentity<'_>| {
            if identity.has_organization() {
                claims(identity).and_then(|all| member(all, "o"))
            } else {
                None
            }
        };
        per_query::value(call, JSONBOID, || current(ask)).map(Jsonb)
    }

    /// `o.id`, if it is a UUID.
    #[pg_extern(stable, parallel_safe)]
    fn organization_id(call: FunctionCallInfo) -> Option<Uuid> {
        per_query::value(call, UUIDOID, || {
            current(|identity| identity.organization_id().and_then(uuid))
        })
        .map(Uuid)
    }

    /// Claim `role`, if it is a string.
    #[pg_extern(stable, parallel_safe)]
    fn role(call: FunctionCallInfo) -> Option<Text> {
        per_query::value(call, TEXTOID, || {
            current(|identity| identity.text(Part::Role).and_then(text))
        })
        .map(Text)
    }

    /// Claim `email`, if it is a string.
    #[pg_extern(stable, parallel_safe)]
    fn email(call: FunctionCallInfo) -> Option<Text> {
        per_query::value(call, TEXTOID, || {
            current(|identity| identity.text(Part::Email).and_then(text))
        })
        .map(Text)
    }

    /// Why the identity is what it is.
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

    /// The keys of the providers.
    #[pg_extern(volatile, parallel_unsafe)]
    #[expect(clippy::type_complexity, reason = "pgrx reads the columns from the type")]
    fn providers() -> TableIterator<
        'static,
        (
            name!(provider, i32),
            name!(issuer, Option<Text>),
            name!(source, &'static str),
            name!(location, Option<Text>),
            name!(kid, Option<Text>),
            name!(kty, Option<Text>),
            name!(alg, Option<Text>),
            name!(usable, bool),
            name!(reason, Option<Text>),
            name!(fetched_at, Option<TimestampWithTimeZone>),
            name!(next_refresh, Option<TimestampWithTimeZone>),
            name!(last_error, Option<Text>),
        ),
    > {
        let rows = inventory::rows().unwrap_or_else(|failure| failure.raise());
        TableIterator::new(rows.into_iter().map(|row| {
            (
                row.provider,
                row.issuer,
                row.source,
                row.location,
                row.kid,
                row.kty,
                row.alg,
                row.usable,
                row.reason,
                row.fetched_at,
                row.next_refresh,
                row.last_error,
            )
        }))
    }
}
