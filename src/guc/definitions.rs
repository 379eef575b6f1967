//! The definitions of the settings.
//!
//! RESET ALL and DISCARD ALL are open to any user. NO_RESET_ALL protects what a superuser's function has set for the
//! session.

use pgrx::pg_sys;
use pgrx::{GucContext, GucFlags, GucRegistry};

use crate::guc::hooks::{self, Definition, StringHooks};
use crate::guc::values::{
    AUDIT_LOG, BIND_LOGIN_IDENTITY, CA_FILE, CLAIMS_FALLBACK, CLIENT_KEYS, IDENTITY_SCOPE, JWK, JWT, LEEWAY, LEEWAYS,
    LOG_USER_ID, OPTIMIZE_POLICIES, PROVIDERS, REQUEST_CLAIMS, SHARED_CACHE, SHARED_CACHES, is_preloaded,
};
use crate::guc::{applied, names};

/// Defines all settings but the token, with the hooks of the providers and of the key of proxy mode.
pub fn define<Providers: StringHooks, ProxyKey: StringHooks>() {
    define_keys::<Providers, ProxyKey>();
    define_superuser_settings();
    GucRegistry::define_string_guc(
        names::CA_FILE,
        c"Sets the PEM file of the certificate authorities that verify a jwks_url.",
        c"An empty value selects the authorities that the system trusts.",
        &CA_FILE,
        GucContext::Sighup,
        GucFlags::SUPERUSER_ONLY,
    );
    GucRegistry::define_bool_guc(
        names::OPTIMIZE_POLICIES,
        c"Enables planning of (select auth.user_id() = column) in a policy as if it were written without the select.",
        c"An index on the column can then be used. Results do not change.",
        &OPTIMIZE_POLICIES,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        names::SHARED_CACHE,
        c"Sets the memory in which sessions find tokens that another session has verified.",
        c"It is shared by all sessions. 0 disables it. The library must be in shared_preload_libraries.",
        &SHARED_CACHE,
        *SHARED_CACHES.start(),
        *SHARED_CACHES.end(),
        // PostgreSQL accepts a setting of its start only then. Later the value has no effect.
        if is_preloaded() {
            GucContext::Postmaster
        } else {
            GucContext::Sighup
        },
        GucFlags::UNIT_KB,
    );
}

fn define_keys<Providers: StringHooks, ProxyKey: StringHooks>() {
    hooks::define::<Providers>(
        &PROVIDERS,
        Definition {
            name: names::PROVIDERS,
            description: c"Sets the identity providers whose tokens are accepted, as a JSON array.",
            detail: c"Where it is set, every other source of identities is ignored.",
            context: GucContext::Suset,
            flags: GucFlags::SUPERUSER_ONLY | GucFlags::NO_RESET_ALL,
        },
    );
    // SAFETY: the hooks have the types that PostgreSQL calls them with, are guarded, and live as long as the library.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            names::CLIENT_KEYS,
            c"Enables keys that connections bring in the startup packet.",
            c"A proxy that signs with its own key needs it. Any other client that can connect can then sign for any user.",
            &CLIENT_KEYS,
            GucContext::Sighup,
            GucFlags::default(),
            Some(applied::check_client_keys),
            Some(applied::assign_keys),
            None,
        );
    }
    hooks::define::<ProxyKey>(
        &JWK,
        Definition {
            name: names::JWK,
            description: c"Sets the public key (one JSON Web Key) that tokens are verified with.",
            detail: c"It comes from the server's configuration, or from a trusted proxy in each connection's startup packet.",
            context: GucContext::Backend,
            flags: GucFlags::NO_RESET_ALL,
        },
    );
}

/// Defines the settings that only superusers may set, except the providers.
fn define_superuser_settings() {
    // SAFETY: the hooks have the types that PostgreSQL calls them with, are guarded, and live as long as the library.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            names::CLAIMS_FALLBACK,
            c"Enables trust in request.jwt.claims where neither providers nor a key are set.",
            c"Any client that can run SQL can set request.jwt.claims: enable this only behind a trusted gateway.",
            &CLAIMS_FALLBACK,
            GucContext::Suset,
            GucFlags::NO_RESET_ALL,
            Some(applied::check_claims_fallback),
            Some(applied::assign_restriction),
            None,
        );
    }
    // SAFETY: the hooks have the types that PostgreSQL calls them with, are guarded, and live as long as the library.
    unsafe {
        GucRegistry::define_int_guc_with_hooks(
            names::LEEWAY,
            c"Sets how long after exp, and before nbf, a token is accepted.",
            c"It allows for clocks that differ.",
            &LEEWAY,
            *LEEWAYS.start(),
            *LEEWAYS.end(),
            GucContext::Suset,
            GucFlags::UNIT_S | GucFlags::NO_RESET_ALL,
            Some(applied::check_leeway),
            Some(applied::assign_restriction),
            None,
        );
    }
    // SAFETY: the hooks have the types that PostgreSQL calls them with, are guarded, and live as long as the library.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            names::AUDIT_LOG,
            c"Enables logging of each adopted identity and of each rejected token.",
            c"Each is one line, with iss, sub, aud, jti and kid as JSON, and without the token.",
            &AUDIT_LOG,
            GucContext::Suset,
            GucFlags::NO_RESET_ALL,
            Some(applied::check_audit_log),
            None,
            None,
        );
    }
    // SAFETY: the hook has the type that PostgreSQL calls it with, is guarded, and lives as long as the library.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            names::LOG_USER_ID,
            c"Enables logging of the session's user id with each message.",
            c"It is the first line of DETAIL, and is not sent to the client.",
            &LOG_USER_ID,
            GucContext::Suset,
            GucFlags::NO_RESET_ALL,
            Some(applied::check_log_user_id),
            None,
            None,
        );
    }
    // SAFETY: the hooks have the types that PostgreSQL calls them with, are guarded, and live as long as the library.
    unsafe {
        GucRegistry::define_enum_guc_with_hooks(
            names::IDENTITY_SCOPE,
            c"Sets how long an identity may last.",
            c"\"transaction\" rejects an identity that would outlast its transaction.",
            &IDENTITY_SCOPE,
            GucContext::Suset,
            GucFlags::NO_RESET_ALL,
            Some(applied::check_identity_scope),
            Some(applied::assign_restriction),
            None,
        );
    }
    // On every major, so that one configuration fits all of them.
    // SAFETY: the hook has the type that PostgreSQL calls it with, is guarded, and lives as long as the library.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            names::BIND_LOGIN_IDENTITY,
            c"Enables the restriction of OAuth sessions to tokens of the same user.",
            c"Other tokens must have the same issuer and user id. OAuth needs PostgreSQL 18.",
            &BIND_LOGIN_IDENTITY,
            GucContext::Suset,
            GucFlags::NO_RESET_ALL,
            None,
            Some(applied::assign_keys),
            None,
        );
    }
}

/// Defines the token. It comes after the keys that it is verified with.
pub fn define_token<Token: StringHooks>() {
    hooks::define::<Token>(
        &JWT,
        Definition {
            name: names::JWT,
            description: c"Sets the token of this session. It is never shown.",
            detail: c"It is verified when it is set. Its identity lasts as long as the value.",
            context: GucContext::Userset,
            flags: GucFlags::NO_SHOW_ALL | GucFlags::DISALLOW_IN_FILE,
        },
    );
}

/// Defines `request.jwt.claims`.
pub fn define_request_claims<Claims: StringHooks>() {
    hooks::define::<Claims>(
        &REQUEST_CLAIMS,
        Definition {
            name: names::REQUEST_CLAIMS,
            description: c"Sets the claims that a trusted gateway has verified, as a JSON object.",
            detail: c"They are trusted only where neither providers nor a key are set and pg_session_jwt.claims_fallback is on.",
            context: GucContext::Userset,
            flags: GucFlags::default(),
        },
    );
}

/// Lets no other library or user define settings with the prefix of this library.
pub fn reserve_prefix() {
    // SAFETY: the name is a C string that lives as long as the library.
    unsafe { pg_sys::MarkGUCPrefixReserved(names::PREFIX.as_ptr()) };
}
