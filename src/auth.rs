//! The functions of schema `auth`. Each asks [`crate::session`] and hands on the answer.

use pgrx::prelude::*;

use crate::session;
use crate::token::identity::FlatIdentity;

/// The answer of `ask` for the current identity, NULL without one, an ERROR where it cannot be trusted.
fn current<T>(ask: impl FnOnce(FlatIdentity<'_>) -> Option<T>) -> Option<T> {
    session::read(|identity| identity.and_then(ask)).unwrap_or_else(|failure| failure.raise())
}

#[pg_schema]
pub mod auth {
    use std::ffi::CString;

    use pgrx::datum::{TimestampWithTimeZone, Uuid};
    use pgrx::prelude::*;

    use super::current;
    use crate::datum::{Jsonb, PresentedToken, Text};
    use crate::error::Failure;
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

    /// The user id: claim `sub`.
    #[pg_extern(stable, parallel_safe)]
    fn user_id() -> Option<Text> {
        current(|identity| {
            if identity.user_id_malformed() {
                Failure::Token(Error::UserId {
                    claim: "sub",
                    title: "Subject",
                })
                .raise();
            }
            identity.text(Part::UserId).map(Text::new)
        })
    }

    /// The user id as UUID; NULL where it is none.
    #[pg_extern(stable, parallel_safe)]
    fn uid() -> Option<Uuid> {
        current(|identity| identity.uid()).map(Uuid::from_bytes)
    }

    /// All claims; the JSON null without an identity.
    #[pg_extern(stable, parallel_safe)]
    fn session() -> Option<Jsonb> {
        current(claims).or_else(Jsonb::null)
    }

    /// All claims; the JSON null without an identity.
    #[pg_extern(stable, parallel_safe)]
    fn jwt() -> Option<Jsonb> {
        current(claims).or_else(Jsonb::null)
    }

    fn claims(identity: FlatIdentity<'_>) -> Option<Jsonb> {
        identity.text(Part::Claims).and_then(Jsonb::parse)
    }

    /// Claim `o`, if it is an object.
    #[pg_extern(stable, parallel_safe)]
    fn organization() -> Option<Jsonb> {
        current(|identity| {
            identity
                .has_organization()
                .then(|| claims(identity))?
                .and_then(|all| all.member("o"))
        })
    }

    /// `o.id`, if it is a UUID.
    #[pg_extern(stable, parallel_safe)]
    fn organization_id() -> Option<Uuid> {
        current(|identity| identity.organization_id()).map(Uuid::from_bytes)
    }

    /// Claim `role`, if it is a string.
    #[pg_extern(stable, parallel_safe)]
    fn role() -> Option<Text> {
        current(|identity| identity.text(Part::Role).map(Text::new))
    }

    /// Claim `email`, if it is a string.
    #[pg_extern(stable, parallel_safe)]
    fn email() -> Option<Text> {
        current(|identity| identity.text(Part::Email).map(Text::new))
    }

    /// Why the identity is what it is.
    #[pg_extern(stable, parallel_restricted)]
    #[expect(clippy::type_complexity, reason = "pgrx reads the columns from the type")]
    fn status() -> TableIterator<
        'static,
        (
            name!(mode, &'static str),
            name!(identity, bool),
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
            status.issuer,
            status.kid,
            status.user_id,
            status.expires_at,
            status.seconds_left,
            status.reason,
        ))
    }
}
