//! The texts of the findings that are not made by a query.

use crate::check::finding::Finding;

/// The texts of a finding.
#[derive(Clone, Copy)]
pub struct Message {
    pub problem: &'static str,
    pub remedy: &'static str,
}

pub const TOO_DEEP: Message = Message {
    problem: "The expression is nested too deeply to be evaluated.",
    remedy: "Write it in fewer levels, or put a part of it into a function.",
};

pub const TOO_LARGE: Message = Message {
    problem: "The expression is too large to be evaluated.",
    remedy: "Move the values that it lists into a table, or put a part of it into a function.",
};

pub const POLICY_READS_SETTING: Message = Message {
    problem: "It reads a setting with current_setting(), which any SQL can set.",
    remedy: "Use auth.user_id() or auth.session(), which return verified claims.",
};

/// The texts for a policy's expression; the names of the clauses follow the problem.
pub fn of_policy(finding: Finding) -> Message {
    let (problem, remedy) = match finding {
        Finding::PolicyOpenWithoutIdentity => (
            "It can be true for a session without an identity and false for an authenticated user",
            "Write the comparison so that a NULL user id does not satisfy it: auth.user_id() = column; or add AND \
             auth.user_id() IS NOT NULL.",
        ),
        Finding::PolicyWriteOpen => (
            "It is always true: any end user may write every row",
            "Compare a column with auth.user_id(), or revoke the privilege.",
        ),
        Finding::PolicyReadOpen => (
            "It is always true: any end user may read every row",
            "None, if the table is meant to be public. Otherwise compare a column with auth.user_id().",
        ),
        Finding::PolicyWriteWithoutIdentity => (
            "It checks the row but not the user: any user may write these rows",
            "Add a comparison of a column with auth.user_id().",
        ),
        Finding::PolicyWriteAnyUser => (
            "It checks only that there is an identity: any user may write every user's rows",
            "Compare a column with auth.user_id().",
        ),
        Finding::RestrictivePolicy => (
            "Only this restrictive policy narrows a permissive one that is always true, and DROP EXTENSION pg_session_jwt \
             CASCADE would drop it",
            "Add its condition to the permissive policy.",
        ),
        _ => (
            "Its value without an identity is unknown: it depends on a function or a sub-select that is not evaluated",
            "Declare the function STRICT, or add AND auth.user_id() IS NOT NULL.",
        ),
    };
    Message { problem, remedy }
}

pub const LIBRARY_NOT_PRELOADED: Message = Message {
    problem: "pg_session_jwt is not in it: a startup packet can replace the server's key, if it uses one, with another one.",
    remedy: "Add pg_session_jwt to shared_preload_libraries and restart the server.",
};

pub const IDENTITY_FORGEABLE: Message = Message {
    problem: "End users may log in, and each connection supplies the key that its own tokens are verified with.",
    remedy: "Set pg_session_jwt.providers, or pg_session_jwt.jwk in postgresql.conf, and preload the library; or use NOLOGIN.",
};

pub const CLAIMS_MODE: Message = Message {
    problem: "Without a key, request.jwt.claims is trusted, which any SQL can set. This is safe only behind a gateway such as \
              PostgREST, if only the gateway can send SQL.",
    remedy: "ALTER SYSTEM SET pg_session_jwt.claims_fallback = off;",
};

pub const CLIENT_KEYS: Message = Message {
    problem: "A client that sends its own key in the startup packet can adopt any identity in every database that has no \
              providers.",
    remedy: "Set pg_session_jwt.client_keys = off in postgresql.conf, unless a proxy in front of this server sends the key.",
};

pub const PROVIDERS_NOT_VISIBLE: Message = Message {
    problem: "Only superusers and members of pg_read_all_settings can see the providers: they and their roles were not checked.",
    remedy: "Call auth.check() as one of these roles.",
};

pub const PROVIDER_WITHOUT_ROLES: Message = Message {
    problem: "It has no \"roles\", and OAuth logins are enabled: each of its users may log in as any role with no more \
              privileges than an end user's, unless pg_ident.conf restricts it.",
    remedy: "Add \"roles\" with the roles that its users may log in as.",
};

pub const PROVIDER_WITHOUT_AUDIENCE: Message = Message {
    problem: "It has no \"audience\": a token that its issuer made for another application is accepted here.",
    remedy: "Add \"audience\", unless its tokens have no \"aud\" or the issuer serves only this application.",
};
