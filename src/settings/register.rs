//! The definitions of the settings, as PostgreSQL is told of them when the library is loaded.

use std::sync::atomic::Ordering::Relaxed;

use pgrx::pg_sys;
use pgrx::{GucContext, GucFlags, GucRegistry};

use crate::guc::values::{
    AUDIT_LOG, BIND_LOGIN_IDENTITY, CA_FILE, CLAIMS_FALLBACK, CLIENT_KEYS, JWK, JWT, LEEWAY, LEEWAYS,
    OPTIMIZE_POLICIES, PRELOADED, PROVIDERS,
};
use crate::guc::{applied, names, process, remembered};
use crate::identity::session_token;
use crate::keys::{providers, proxy_key, server_key};
use crate::settings::placeholders;

/// Defines the settings when the library is loaded, whether that is in a parallel operation or not.
///
/// RESET ALL and DISCARD ALL are anyone's, and take back what is anyone's: NO_RESET_ALL keeps what a superuser's function
/// has set for the session.
pub fn define() {
    if !process::outside_of_parallel_mode(define_all) {
        define_all();
    }
}

/// The key comes before the token, which is verified with it.
fn define_all() {
    // SAFETY: reads a global of this process.
    PRELOADED.store(unsafe { pg_sys::process_shared_preload_libraries_in_progress }, Relaxed);
    let placeholders = placeholders::Placeholders::look();
    // First: the hooks of others remember by it.
    remembered::define();
    // SAFETY: the hooks have the types that PostgreSQL calls them with, are guarded, and live as long as the library.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            names::PROVIDERS,
            c"The identity providers whose tokens are accepted, as a JSON array.",
            c"Where it is set, no other source of identity counts.",
            &PROVIDERS,
            GucContext::Suset,
            GucFlags::SUPERUSER_ONLY | GucFlags::NO_RESET_ALL,
            Some(providers::check),
            Some(providers::assign),
            None,
        );
    }
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            names::CLIENT_KEYS,
            c"Lets a connection bring a key of its own in its startup packet.",
            c"Needed behind a proxy that signs with one; anyone else who can connect is whoever they say they are.",
            &CLIENT_KEYS,
            GucContext::Sighup,
            GucFlags::default(),
            Some(applied::check_client_keys),
            Some(applied::assign_client_keys),
            None,
        );
    }
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            names::JWK,
            c"The public key (one JSON Web Key) that tokens are verified with.",
            c"Set by the server's configuration, or by a trusted proxy in the startup packet of each connection.",
            &JWK,
            GucContext::Backend,
            GucFlags::NO_RESET_ALL,
            Some(proxy_key::check),
            Some(proxy_key::assign),
            None,
        );
    }
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            names::CLAIMS_FALLBACK,
            c"Believes request.jwt.claims where no key is set.",
            c"Whoever can run SQL can set request.jwt.claims: leave this on only behind a trusted front end.",
            &CLAIMS_FALLBACK,
            GucContext::Suset,
            GucFlags::NO_RESET_ALL,
            Some(applied::check_claims_fallback),
            Some(applied::assign_claims_fallback),
            None,
        );
    }
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_int_guc_with_hooks(
            names::LEEWAY,
            c"Seconds by which a token may be used after exp and before nbf.",
            c"Allows for clocks that differ.",
            &LEEWAY,
            *LEEWAYS.start(),
            *LEEWAYS.end(),
            GucContext::Suset,
            GucFlags::UNIT_S | GucFlags::NO_RESET_ALL,
            Some(applied::check_leeway),
            Some(applied::assign_leeway),
            None,
        );
    }
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            names::AUDIT_LOG,
            c"Logs each identity that a session takes on and each token that is refused.",
            c"One line each, with iss, sub, aud, jti and kid as JSON; never the token.",
            &AUDIT_LOG,
            GucContext::Suset,
            GucFlags::NO_RESET_ALL,
            Some(applied::check_audit_log),
            None,
            None,
        );
    }
    // On every major, so that one configuration fits all of them.
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_bool_guc_with_hooks(
            names::BIND_LOGIN_IDENTITY,
            c"Keeps a session that logged in with a token its user's.",
            c"Then it takes other tokens only of the same issuer and user id. Logins with a token need PostgreSQL 18.",
            &BIND_LOGIN_IDENTITY,
            GucContext::Suset,
            GucFlags::NO_RESET_ALL,
            None,
            Some(applied::assign_bind_login_identity),
            None,
        );
    }
    GucRegistry::define_string_guc(
        names::CA_FILE,
        c"The certificate authorities that a jwks_url is verified with, as a PEM file.",
        c"Empty: those that the system trusts.",
        &CA_FILE,
        GucContext::Sighup,
        GucFlags::SUPERUSER_ONLY,
    );
    GucRegistry::define_bool_guc(
        names::OPTIMIZE_POLICIES,
        c"Plans (select auth.user_id() = column) in a policy as if it were written without the select.",
        c"Then an index on the column can be used. No result depends on it.",
        &OPTIMIZE_POLICIES,
        GucContext::Userset,
        GucFlags::default(),
    );
    placeholders.settle();
    server_key::keep();
    // SAFETY: as above.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            names::JWT,
            c"The token of this session. It is never shown.",
            c"Verified when it is set; the identity in it lasts as long as the value.",
            &JWT,
            GucContext::Userset,
            GucFlags::NO_SHOW_ALL | GucFlags::DISALLOW_IN_FILE,
            Some(session_token::check),
            Some(session_token::assign),
            Some(session_token::show),
        );
    }
    // SAFETY: the name is a C string that lives as long as the library.
    unsafe { pg_sys::MarkGUCPrefixReserved(names::PREFIX.as_ptr()) };
}
