//! The functions of schema `auth` that present a token, and those that read the current identity.

#[pgrx::pg_schema]
pub mod auth {
    use std::cell::Cell;
    use std::ffi::CString;

    use pgrx::pg_sys::{self, Datum, FunctionCallInfo, TimestampTz};
    use pgrx::prelude::*;

    use crate::error::Failure;
    use crate::functions::call_site_cache;
    use crate::guc::token_setting::Duration;
    use crate::identity::current;
    use crate::identity::mode::{self, Mode};
    use crate::identity::presented;
    use crate::identity::session_token;
    use crate::pg::sql_types::{Jsonb, PresentedToken, Text, Uuid, jsonb, member, text, uuid};
    use crate::pg::{statement, transaction_block};
    use crate::token::Error;
    use crate::token::identity::{FlatIdentity, IdentityText};

    /// Checks that there is a usable key to verify tokens with.
    #[pg_extern(volatile, parallel_unsafe)]
    fn init() {
        match mode::mode_in_transaction() {
            Ok(Mode::Provider(_) | Mode::Proxy(_)) => {}
            Ok(Mode::Claims | Mode::Off) => Failure::NoKey.raise(),
            Err(failure) => failure.raise(),
        }
    }

    /// Verifies a token and sets its identity for the session. NULL is an error: a caller that has lost the token must not
    /// continue as the last user.
    #[pg_extern(volatile, parallel_unsafe)]
    fn jwt_session_init(jwt: Option<PresentedToken>) {
        present(not_null("jwt", jwt), Duration::Session);
    }

    /// Verifies a token and sets its identity: if `is_local`, until the transaction ends. NULL is an error.
    #[pg_extern(volatile, parallel_unsafe, name = "jwt_session_init")]
    fn jwt_session_init_local(jwt: Option<PresentedToken>, is_local: Option<bool>) {
        let duration = if not_null("is_local", is_local) {
            Duration::Transaction
        } else {
            Duration::Session
        };
        present(not_null("jwt", jwt), duration);
    }

    fn not_null<T>(argument: &'static str, value: Option<T>) -> T {
        value.unwrap_or_else(|| Failure::NullArgument { argument }.raise())
    }

    fn present(token: PresentedToken, duration: Duration) {
        let reject = |error: Error| -> CString { presented::reject_unread(error).raise() };
        let token = match token {
            // Assigning an empty value is a logout; presenting an empty token is a mistake.
            PresentedToken::Text(token) if token.is_empty() => reject(Error::Empty),
            PresentedToken::Text(token) => token,
            PresentedToken::TooLong(bytes) => reject(Error::TokenTooLong { bytes }),
        };
        session_token::present(&token, duration).unwrap_or_else(|failure| failure.raise());
        if duration == Duration::Transaction && transaction_block::ends_with_call() {
            warn_once();
        }
    }

    /// Warns that the identity ends at once: once for each statement of the client, which can call the function per row.
    fn warn_once() {
        thread_local! {
            static WARNED: Cell<TimestampTz> = const { Cell::new(0) };
        }
        let statement = statement::start();
        if WARNED.replace(statement) != statement {
            Failure::OutsideBlock.warn();
        }
    }

    /// Runs the slow path. It stays out of line, so that the fast path does not save the registers that only the slow
    /// path uses.
    #[cold]
    #[inline(never)]
    fn slow(refill: impl FnOnce() -> Datum) -> Datum {
        refill()
    }

    /// Defines readers: for each the SQL, the function that computes and caches a value, and `NAME_wrapper`.
    ///
    /// PostgreSQL calls `NAME_wrapper`, which returns the cached value. It avoids pgrx's own wrapper, whose memory context
    /// and guard against panics and errors would cost 103 instructions per row (`make bench-instructions`).
    ///
    /// Each entry spells out its SQL and names: pgrx takes the SQL only as a literal, and macro_rules! can join neither
    /// literals nor identifiers.
    macro_rules! readers {
        ($($(#[$doc:meta])* $name:ident, $slow:ident, $slow_wrapper:ident: $type:ident = $compute:expr, $sql:tt;)*) => {$(
            $(#[$doc])*
            #[pg_extern(sql = $sql)]
            fn $slow(call: FunctionCallInfo) -> Option<$type> {
                // SAFETY: PostgreSQL calls the wrapper below with `call`; `compute` gives what `$type` consists of.
                unsafe { call_site_cache::refill(call, $type::OID, $compute) }.map($type)
            }

            const _: () = {
                /// The calling convention of the wrapper (`fmgr.h`, PG_FUNCTION_INFO_V1).
                // SAFETY: PostgreSQL looks the symbol up in this library only; no other item of it has this name.
                #[unsafe(export_name = concat!("pg_finfo_", stringify!($name), "_wrapper"))]
                extern "C" fn finfo() -> &'static pg_sys::Pg_finfo_record {
                    &pg_sys::Pg_finfo_record { api_version: 1 }
                }

                // SAFETY: PostgreSQL looks the symbol up in this library only; no other item of it has this name.
                #[unsafe(export_name = concat!(stringify!($name), "_wrapper"))]
                unsafe extern "C-unwind" fn wrapper(call: FunctionCallInfo) -> Datum {
                    // SAFETY: PostgreSQL calls this function, with a valid call.
                    match unsafe { call_site_cache::cached(call) } {
                        Some(value) => value,
                        None => slow(|| {
                            // SAFETY: pgrx's wrapper takes the call that PostgreSQL made.
                            unsafe { $slow_wrapper(call) }
                        }),
                    }
                }
            };
        )*};
    }

    readers! {
        /// The user id: claim `sub`, or the claim that the provider names.
        user_id, user_id_slow, user_id_slow_wrapper: Text = user_id_or_error, "
        CREATE FUNCTION auth.user_id() RETURNS text STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'user_id_wrapper';";

        /// The user id as UUID; NULL if it is not one.
        uid, uid_slow, uid_slow_wrapper: Uuid = || read(|identity| identity.uid().and_then(uuid)), "
        CREATE FUNCTION auth.uid() RETURNS uuid STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'uid_wrapper';";

        /// All claims; the JSON null without an identity.
        session, session_slow, session_slow_wrapper: Jsonb = claims_or_null, "
        CREATE FUNCTION auth.session() RETURNS jsonb STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'session_wrapper';";

        /// All claims; the JSON null without an identity.
        jwt, jwt_slow, jwt_slow_wrapper: Jsonb = claims_or_null, "
        CREATE FUNCTION auth.jwt() RETURNS jsonb STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'jwt_wrapper';";

        /// Claim `o`; NULL if it is not an object.
        organization, organization_slow, organization_slow_wrapper: Jsonb = || read(organization), "
        CREATE FUNCTION auth.organization() RETURNS jsonb STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'organization_wrapper';";

        /// Member `id` of claim `o`; NULL if it is not a UUID.
        organization_id, organization_id_slow, organization_id_slow_wrapper: Uuid =
        || read(|identity| identity.organization_id().and_then(uuid)), "
        CREATE FUNCTION auth.organization_id() RETURNS uuid STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'organization_id_wrapper';";

        /// Claim `role`; NULL if it is not a string.
        role, role_slow, role_slow_wrapper: Text =
        || read(|identity| identity.text(IdentityText::Role).and_then(text)), "
        CREATE FUNCTION auth.role() RETURNS text STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'role_wrapper';";

        /// Claim `email`; NULL if it is not a string.
        email, email_slow, email_slow_wrapper: Text =
        || read(|identity| identity.text(IdentityText::Email).and_then(text)), "
        CREATE FUNCTION auth.email() RETURNS text STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'email_wrapper';";
    }

    /// Computes a value from the current identity. Returns NULL without an identity, and raises an ERROR if the identity
    /// cannot be trusted.
    fn read(compute: impl FnOnce(FlatIdentity<'_>) -> Option<Datum>) -> Option<Datum> {
        current::read(|identity| identity.and_then(compute)).unwrap_or_else(|failure| failure.raise())
    }

    fn user_id_or_error() -> Option<Datum> {
        let mut is_malformed = false;
        let user_id = read(|identity| {
            is_malformed = identity.user_id_malformed();
            identity.text(IdentityText::UserId).and_then(text)
        });
        if is_malformed {
            Failure::Token(Error::user_id(&current::user_id_claim())).raise();
        }
        user_id
    }

    fn claims(identity: FlatIdentity<'_>) -> Option<Datum> {
        identity.text(IdentityText::Claims).and_then(jsonb)
    }

    fn claims_or_null() -> Option<Datum> {
        read(claims).or_else(|| jsonb(b"null"))
    }

    fn organization(identity: FlatIdentity<'_>) -> Option<Datum> {
        if identity.has_organization() {
            claims(identity).and_then(|claims| member(claims, "o"))
        } else {
            None
        }
    }
}
