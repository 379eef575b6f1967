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

pub const TOO_MANY_LEVELS: Message = Message {
    problem: "It is nested in more than 500 levels of views, so neither it nor a view over it is inspected.",
    remedy: "Write it in fewer levels.",
};

pub const TOO_MANY_RELATIONS: Message = Message {
    problem: "It leads through more than 500 tables and views, so it is not followed to its end.",
    remedy: "Read a table whose policies have no sub-select.",
};

pub const FUNCTION_TOO_LARGE: Message = Message {
    problem: "It is declared IMMUTABLE or LEAKPROOF, and its source text is too large to be inspected.",
    remedy: "Declare it STABLE and NOT LEAKPROOF, or split it.",
};

pub const POLICY_READS_SETTING: Message = Message {
    problem: "It reads a setting with current_setting(), which any SQL can set.",
    remedy: "Use auth.user_id() or auth.session(), which return verified claims.",
};

pub const POLICY_WITHOUT_CONDITION: Message = Message {
    problem: "It has neither USING nor WITH CHECK, so it permits no row. Tools such as drizzle-kit push write such policies when \
              they leave the conditions out.",
    remedy: "Add USING (auth.user_id() = column), or drop the policy.",
};

pub const POLICY_RECURSION_REMEDY: &str = "Move the sub-select into a function that is STABLE SECURITY DEFINER SET search_path = '', in a schema that end \
     users may not use. It calls auth.user_id() itself, and has no argument for a user id. Or read a table whose policies \
     have no sub-select.";

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
            "It does not check the user: any user may write the rows that satisfy it",
            "Add a comparison of a column with auth.user_id().",
        ),
        Finding::PolicyWriteAnyUser => (
            "It checks nothing that tells users apart: any user may write every user's rows",
            "Compare a column with auth.user_id().",
        ),
        Finding::PolicyWriteAnyMember => (
            "A sub-select finds rows of the user, but reads no column of the row that it permits: a user with any such row may \
             write every user's rows",
            "Compare a column of the sub-select with one of this table, qualified by its name: member.team = this_table.team.",
        ),
        Finding::PolicyReadAnyMember => (
            "A sub-select finds rows of the user, but reads no column of the row that it permits: a user with any such row may \
             read every user's rows",
            "Compare a column of the sub-select with one of this table, qualified by its name: member.team = this_table.team.",
        ),
        Finding::PolicyWriteUserClaim => (
            "It reads claims that each user can write, such as user_metadata: any user may write rows of others by it",
            "Read claims that only the deployment writes, such as app_metadata or public_metadata, or a table.",
        ),
        Finding::PolicyReadUserClaim => (
            "It reads claims that each user can write, such as user_metadata: any user may read rows of others by it",
            "Read claims that only the deployment writes, such as app_metadata or public_metadata, or a table.",
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

pub const IDENTITY_FORGEABLE: &str =
    "End users may log in, and each connection supplies the key that its own tokens are verified with.";

pub const CLAIMS_MODE: Message = Message {
    problem: "Without a key, request.jwt.claims is trusted, which any SQL can set. This is safe only behind a gateway such as \
              PostgREST, if only the gateway can send SQL.",
    remedy: "ALTER SYSTEM SET pg_session_jwt.claims_fallback = off; SELECT pg_reload_conf();",
};

pub const CLIENT_KEYS: Message = Message {
    problem: "A client that sends its own key in the startup packet can adopt any identity in every database that has no \
              providers.",
    remedy: "ALTER SYSTEM SET pg_session_jwt.client_keys = off; SELECT pg_reload_conf(); -- unless a proxy in front of this \
             server sends the key",
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

pub const ISSUER_SHARED: Message = Message {
    problem: "Its issuer signs for applications or tenants of other owners with the same keys, and it has neither \"audience\" \
              nor \"claims\": tokens that any of them has received are accepted here.",
    remedy: "Add \"audience\" with the id that the issuer has given to this application.",
};

pub const LOGIN_WITHOUT_AUDIENCE: Message = Message {
    problem: "It has neither \"audience\" nor \"claims\", and OAuth logins are enabled: an application that has received a \
              user's token for itself can log in as this user.",
    remedy: "Add \"audience\", or \"claims\" if its tokens have no \"aud\".",
};

pub const PROVIDER_WITHOUT_AUDIENCE: Message = Message {
    problem: "It has neither \"audience\" nor \"claims\": a token that its issuer made for another application is accepted here.",
    remedy: "Add \"audience\", or \"claims\" if its tokens have no \"aud\", unless the issuer serves only this application.",
};
