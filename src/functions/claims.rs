//! The functions of schema `auth` that say who is speaking. Each asks [`crate::identity::current`] and hands on the answer.

use pgrx::pg_sys::Datum;
use pgrx::prelude::*;

use crate::identity::current;
use crate::token::identity::FlatIdentity;

/// The answer of `ask` for the current identity, NULL without one, an ERROR where it cannot be trusted.
fn current(ask: impl FnOnce(FlatIdentity<'_>) -> Option<Datum>) -> Option<Datum> {
    current::read(|identity| identity.and_then(ask)).unwrap_or_else(|failure| failure.raise())
}

#[pg_schema]
pub mod auth {
    use std::ffi::CString;

    use pgrx::pg_sys::{self, Datum, FunctionCallInfo, JSONBOID, TEXTOID, UUIDOID};
    use pgrx::prelude::*;

    use super::current;
    use crate::error::Failure;
    use crate::functions::call_site_cache;
    use crate::identity::mode::{self, Mode};
    use crate::identity::session_token;
    use crate::pg::sql_types::{Jsonb, PresentedToken, Text, Uuid, jsonb, member, text, uuid};
    use crate::token::Error;
    use crate::token::identity::{FlatIdentity, Text as Part};

    /// Checks that there is a usable key to verify tokens with.
    #[pg_extern(volatile, parallel_unsafe)]
    fn init() {
        match mode::mode_in_transaction() {
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
        session_token::present(&token, is_local).unwrap_or_else(|failure| failure.raise());
    }

    /// The user id: claim `sub`, or the one that the provider names.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.user_id() RETURNS text STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'user_id_wrapper';"#)]
    fn user_id_anew(call: FunctionCallInfo) -> Option<Text> {
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
        call_site_cache::value(call, TEXTOID, || current(ask)).map(Text)
    }

    /// The user id as UUID; NULL where it is none.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.uid() RETURNS uuid STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'uid_wrapper';"#)]
    fn uid_anew(call: FunctionCallInfo) -> Option<Uuid> {
        call_site_cache::value(call, UUIDOID, || current(|identity| identity.uid().and_then(uuid))).map(Uuid)
    }

    /// All claims; the JSON null without an identity.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.session() RETURNS jsonb STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'session_wrapper';"#)]
    fn session_anew(call: FunctionCallInfo) -> Option<Jsonb> {
        call_site_cache::value(call, JSONBOID, claims_or_null).map(Jsonb)
    }

    /// All claims; the JSON null without an identity.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.jwt() RETURNS jsonb STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'jwt_wrapper';"#)]
    fn jwt_anew(call: FunctionCallInfo) -> Option<Jsonb> {
        call_site_cache::value(call, JSONBOID, claims_or_null).map(Jsonb)
    }

    fn claims_or_null() -> Option<Datum> {
        current(claims).or_else(|| jsonb(b"null"))
    }

    fn claims(identity: FlatIdentity<'_>) -> Option<Datum> {
        identity.text(Part::Claims).and_then(jsonb)
    }

    /// Claim `o`, if it is an object.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.organization() RETURNS jsonb STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'organization_wrapper';"#)]
    fn organization_anew(call: FunctionCallInfo) -> Option<Jsonb> {
        let ask = |identity: FlatIdentity<'_>| {
            if identity.has_organization() {
                claims(identity).and_then(|all| member(all, "o"))
            } else {
                None
            }
        };
        call_site_cache::value(call, JSONBOID, || current(ask)).map(Jsonb)
    }

    /// `o.id`, if it is a UUID.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.organization_id() RETURNS uuid STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'organization_id_wrapper';"#)]
    fn organization_id_anew(call: FunctionCallInfo) -> Option<Uuid> {
        call_site_cache::value(call, UUIDOID, || {
            current(|identity| identity.organization_id().and_then(uuid))
        })
        .map(Uuid)
    }

    /// Claim `role`, if it is a string.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.role() RETURNS text STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'role_wrapper';"#)]
    fn role_anew(call: FunctionCallInfo) -> Option<Text> {
        call_site_cache::value(call, TEXTOID, || {
            current(|identity| identity.text(Part::Role).and_then(text))
        })
        .map(Text)
    }

    /// Claim `email`, if it is a string.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.email() RETURNS text STRICT STABLE PARALLEL SAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'email_wrapper';"#)]
    fn email_anew(call: FunctionCallInfo) -> Option<Text> {
        call_site_cache::value(call, TEXTOID, || {
            current(|identity| identity.text(Part::Email).and_then(text))
        })
        .map(Text)
    }

    /// Not inlined, or each reader would save on its way to a kept value the registers that only this one needs.
    #[cold]
    #[inline(never)]
    fn anew(make: impl FnOnce() -> Datum) -> Datum {
        make()
    }

    /// A reader as PostgreSQL calls it: the value that its call site keeps, or what the function above makes.
    ///
    /// pgrx's own wrapper sets up a guard against panics and errors, and a memory context, for each row; there is neither
    /// on the way to a value that is kept (103 instructions of each call before, see `make bench-instructions`).
    macro_rules! reader {
        ($wrapper:ident, $finfo:ident, $anew:ident) => {
            /// The calling convention of the function below (`fmgr.h`, PG_FUNCTION_INFO_V1).
            // SAFETY: no other library is asked for a symbol of this name.
            #[unsafe(no_mangle)]
            #[doc(hidden)]
            pub extern "C" fn $finfo() -> &'static pg_sys::Pg_finfo_record {
                &pg_sys::Pg_finfo_record { api_version: 1 }
            }

            /// # Safety
            /// PostgreSQL calls it, with a valid call.
            // SAFETY: as above.
            #[unsafe(no_mangle)]
            #[doc(hidden)]
            pub unsafe extern "C-unwind" fn $wrapper(call: FunctionCallInfo) -> Datum {
                // SAFETY: the caller's promise.
                match unsafe { call_site_cache::kept(call) } {
                    Some(value) => value,
                    None => anew(|| {
                        // SAFETY: as above.
                        unsafe { $anew(call) }
                    }),
                }
            }
        };
    }

    reader!(user_id_wrapper, pg_finfo_user_id_wrapper, user_id_anew_wrapper);
    reader!(uid_wrapper, pg_finfo_uid_wrapper, uid_anew_wrapper);
    reader!(session_wrapper, pg_finfo_session_wrapper, session_anew_wrapper);
    reader!(jwt_wrapper, pg_finfo_jwt_wrapper, jwt_anew_wrapper);
    reader!(
        organization_wrapper,
        pg_finfo_organization_wrapper,
        organization_anew_wrapper
    );
    reader!(
        organization_id_wrapper,
        pg_finfo_organization_id_wrapper,
        organization_id_anew_wrapper
    );
    reader!(role_wrapper, pg_finfo_role_wrapper, role_anew_wrapper);
    reader!(email_wrapper, pg_finfo_email_wrapper, email_anew_wrapper);
}
