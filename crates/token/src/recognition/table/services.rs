//! Services that sign users in, by their hosts.

use crate::recognition::known::{Entry, FillIn, Form, Known, PLAIN, optional_text, text, word};

const AZP: FillIn = optional_text("azp", "the origins of your pages, each with its scheme");

pub static SERVICES: [Known; 8] = [
    Known {
        name: "Clerk",
        page: "clerk.md",
        note: "Session tokens have no aud, so azp separates your applications: it is the origin of the page that asked for \
               the token. Tokens of native applications have none: fill in null.",
        algorithms: "RS256",
        sub: "`user_…`",
        forms: &[
            Form {
                which: "development",
                urls: &["https://<slug>.clerk.accounts.dev"],
                entries: &[Entry {
                    issuer: "https://<slug>.clerk.accounts.dev",
                    jwks_url: Some("https://<slug>.clerk.accounts.dev/.well-known/jwks.json"),
                    claims: &[("azp", "<azp>")],
                    ..PLAIN
                }],
                to_fill_in: &[AZP],
            },
            Form {
                which: "production",
                urls: &["https://clerk.<domain>"],
                entries: &[Entry {
                    issuer: "https://clerk.<domain>",
                    jwks_url: Some("https://clerk.<domain>/.well-known/jwks.json"),
                    claims: &[("azp", "<azp>")],
                    ..PLAIN
                }],
                to_fill_in: &[AZP],
            },
        ],
    },
    Known {
        name: "Auth0",
        page: "auth0.md",
        note: "Without an audience in the login request, Auth0 issues an opaque access token, which cannot be verified.",
        algorithms: "RS256",
        sub: "`auth0\\|…`",
        forms: &[Form {
            which: "",
            urls: &["https://<tenant>.auth0.com"],
            entries: &[Entry {
                issuer: "https://<tenant>.auth0.com/",
                jwks_url: Some("https://<tenant>.auth0.com/.well-known/jwks.json"),
                audience: Some("<audience>"),
                ..PLAIN
            }],
            to_fill_in: &[text("audience", "the Identifier of your API in Auth0")],
        }],
    },
    Known {
        name: "Stack Auth",
        page: "stack-auth.md",
        note: "Anonymous users have another issuer, with projects-anonymous-users, and so another entry, for the role \
               anonymous. Restricted users are rejected.",
        algorithms: "ES256",
        sub: "UUID",
        forms: &[
            Form {
                which: "",
                urls: &["https://api.stack-auth.com/api/v1/projects/<project_id>"],
                entries: &[Entry {
                    issuer: "https://api.stack-auth.com/api/v1/projects/<project_id>",
                    jwks_url: Some("https://api.stack-auth.com/api/v1/projects/<project_id>/.well-known/jwks.json"),
                    audience: Some("<project_id>"),
                    ..PLAIN
                }],
                to_fill_in: &[],
            },
            Form {
                which: "anonymous users",
                urls: &["https://api.stack-auth.com/api/v1/projects-anonymous-users/<project_id>"],
                entries: &[Entry {
                    issuer: "https://api.stack-auth.com/api/v1/projects-anonymous-users/<project_id>",
                    jwks_url: Some(
                        "https://api.stack-auth.com/api/v1/projects/<project_id>/.well-known/jwks.json?include_anonymous=true",
                    ),
                    audience: Some("<project_id>:anon"),
                    roles: "anonymous",
                    ..PLAIN
                }],
                to_fill_in: &[],
            },
        ],
    },
    Known {
        name: "Stytch",
        page: "stytch.md",
        note: "The issuer has no https://. With a custom domain, iss can be that domain, which needs another entry.",
        algorithms: "RS256",
        sub: "`user-test-…`",
        forms: &[
            Form {
                which: "test",
                urls: &[
                    "https://test.stytch.com/v1/sessions/jwks/project-test-<id>",
                    "https://stytch.com/project-test-<id>",
                ],
                entries: &[Entry {
                    issuer: "stytch.com/project-test-<id>",
                    jwks_url: Some("https://test.stytch.com/v1/sessions/jwks/project-test-<id>"),
                    audience: Some("project-test-<id>"),
                    ..PLAIN
                }],
                to_fill_in: &[],
            },
            Form {
                which: "live",
                urls: &[
                    "https://api.stytch.com/v1/sessions/jwks/project-live-<id>",
                    "https://stytch.com/project-live-<id>",
                ],
                entries: &[Entry {
                    issuer: "stytch.com/project-live-<id>",
                    jwks_url: Some("https://api.stytch.com/v1/sessions/jwks/project-live-<id>"),
                    audience: Some("project-live-<id>"),
                    ..PLAIN
                }],
                to_fill_in: &[],
            },
        ],
    },
    Known {
        name: "Neon Auth",
        page: "neon-auth.md",
        note: "The issuer is the origin of the auth URL, without its path. Projects from before Better Auth use Stack Auth: \
               give its key set URL.",
        algorithms: "EdDSA",
        sub: "UUID",
        forms: &[Form {
            which: "",
            urls: &[
                "https://<endpoint>.neon.tech/<database>/auth",
                "https://<endpoint>.neon.tech",
            ],
            entries: &[Entry {
                issuer: "https://<endpoint>.neon.tech",
                jwks_url: Some("https://<endpoint>.neon.tech/<database>/auth/.well-known/jwks.json"),
                audience: Some("https://<endpoint>.neon.tech"),
                ..PLAIN
            }],
            to_fill_in: &[word(
                "database",
                "the name of the database in the auth URL, often neondb",
            )],
        }],
    },
    Known {
        name: "Supabase",
        page: "supabase.md",
        note: "While the project signs with the legacy secret (HS256), its key set is empty, and no token can be verified: \
               change to asymmetric signing keys first.",
        algorithms: "ES256, RS256",
        sub: "UUID",
        forms: &[Form {
            which: "",
            urls: &[
                "https://<project_ref>.supabase.co/auth/v1",
                "https://<project_ref>.supabase.co",
            ],
            entries: &[Entry {
                issuer: "https://<project_ref>.supabase.co/auth/v1",
                jwks_url: Some("https://<project_ref>.supabase.co/auth/v1/.well-known/jwks.json"),
                audience: Some("authenticated"),
                ..PLAIN
            }],
            to_fill_in: &[],
        }],
    },
    // WorkOS, Session tokens (workos.com/docs/reference/authkit/session-tokens): the key set of a client, and `iss` without
    // the client. workos-node, pull request 1694: `iss` with the client.
    Known {
        name: "WorkOS",
        page: "README.md#workos",
        note: "Tokens have no aud: each client has its own key set, which separates them. iss has two forms; the key set URL \
               gives an entry for each.",
        algorithms: "RS256",
        sub: "`user_01…`",
        forms: &[
            Form {
                which: "",
                urls: &["https://api.workos.com/sso/jwks/<client_id>"],
                entries: &[
                    Entry {
                        issuer: "https://api.workos.com/user_management/<client_id>",
                        jwks_url: Some("https://api.workos.com/sso/jwks/<client_id>"),
                        ..PLAIN
                    },
                    Entry {
                        issuer: "https://api.workos.com",
                        jwks_url: Some("https://api.workos.com/sso/jwks/<client_id>"),
                        ..PLAIN
                    },
                ],
                to_fill_in: &[],
            },
            Form {
                which: "issuer with the client",
                urls: &["https://api.workos.com/user_management/<client_id>"],
                entries: &[Entry {
                    issuer: "https://api.workos.com/user_management/<client_id>",
                    jwks_url: Some("https://api.workos.com/sso/jwks/<client_id>"),
                    ..PLAIN
                }],
                to_fill_in: &[],
            },
            Form {
                which: "issuer without the client",
                urls: &["https://api.workos.com"],
                entries: &[Entry {
                    issuer: "https://api.workos.com",
                    jwks_url: Some("https://api.workos.com/sso/jwks/<client_id>"),
                    ..PLAIN
                }],
                to_fill_in: &[word(
                    "client_id",
                    "the client id of your WorkOS environment, client_...",
                )],
            },
        ],
    },
    // Descope, Get public key V2 (docs.descope.com/api/session/get-keys-v2): the key set. Using Descope JWTs with AWS API
    // Gateway (docs.descope.com/knowledgebase/general/awsjwtauthorizer): the two forms of `iss`.
    Known {
        name: "Descope",
        page: "README.md#descope",
        note: "iss is the bare project id, or a URL with the AWS API Gateway template: give that URL for its entry.",
        algorithms: "RS256",
        sub: "`U2…`",
        forms: &[
            Form {
                which: "",
                urls: &["https://api.descope.com/v2/keys/<project_id>"],
                entries: &[Entry {
                    issuer: "<project_id>",
                    jwks_url: Some("https://api.descope.com/v2/keys/<project_id>"),
                    audience: Some("<project_id>"),
                    ..PLAIN
                }],
                to_fill_in: &[],
            },
            Form {
                which: "issuer as a URL",
                urls: &["https://api.descope.com/<project_id>"],
                entries: &[Entry {
                    issuer: "https://api.descope.com/<project_id>",
                    jwks_url: Some("https://api.descope.com/v2/keys/<project_id>"),
                    audience: Some("<project_id>"),
                    ..PLAIN
                }],
                to_fill_in: &[],
            },
        ],
    },
];
