//! Microsoft, Google, Amazon and Okta, by their hosts.

use crate::recognition::known::{Entry, FillIn, Form, Known, PLAIN, guid, text, word};

const API_CLIENT_ID: FillIn = text("audience", "the application (client) id of your API, a GUID");

const USER_FLOW: FillIn = word("user_flow", "the name of the user flow (policy), such as B2C_1_signin");

const FIREBASE_KEYS: &str = "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

pub static CLOUDS: [Known; 6] = [
    Known {
        name: "Azure AD B2C",
        page: "azure-ad-b2c.md",
        note: "Each user flow has its own key set, and is named by the claim tfp. Its subject must be the object id, \
               otherwise sub does not identify the user.",
        algorithms: "RS256",
        sub: "GUID",
        forms: &[
            Form {
                which: "",
                urls: &[
                    "https://<tenant>.b2clogin.com/<directory>/<user_flow>/discovery/v2.0/keys",
                    "https://<tenant>.b2clogin.com/<directory>/<user_flow>/v2.0",
                    "https://<tenant>.b2clogin.com/<directory>/discovery/v2.0/keys?p=<user_flow>",
                    "https://<tenant>.b2clogin.com/<directory>/v2.0?p=<user_flow>",
                ],
                entries: &[Entry {
                    issuer: "https://<tenant>.b2clogin.com/<tenant_id>/v2.0/",
                    jwks_url: Some("https://<tenant>.b2clogin.com/<directory>/<user_flow>/discovery/v2.0/keys"),
                    audience: Some("<audience>"),
                    algorithms: Some("RS256"),
                    ..PLAIN
                }],
                to_fill_in: &[
                    guid(
                        "tenant_id",
                        "the id of the tenant, a GUID in lower case: it is in the user flow's issuer",
                    ),
                    API_CLIENT_ID,
                ],
            },
            Form {
                which: "issuer",
                urls: &["https://<tenant>.b2clogin.com/<tenant_id>/v2.0"],
                entries: &[Entry {
                    issuer: "https://<tenant>.b2clogin.com/<tenant_id>/v2.0/",
                    jwks_url: Some(
                        "https://<tenant>.b2clogin.com/<tenant>.onmicrosoft.com/<user_flow>/discovery/v2.0/keys",
                    ),
                    audience: Some("<audience>"),
                    algorithms: Some("RS256"),
                    ..PLAIN
                }],
                to_fill_in: &[USER_FLOW, API_CLIENT_ID],
            },
            Form {
                which: "issuer with the user flow",
                urls: &["https://<tenant>.b2clogin.com/tfp/<tenant_id>/<user_flow>/v2.0"],
                entries: &[Entry {
                    issuer: "https://<tenant>.b2clogin.com/tfp/<tenant_id>/<user_flow>/v2.0/",
                    jwks_url: Some(
                        "https://<tenant>.b2clogin.com/<tenant>.onmicrosoft.com/<user_flow>/discovery/v2.0/keys",
                    ),
                    audience: Some("<audience>"),
                    algorithms: Some("RS256"),
                    ..PLAIN
                }],
                to_fill_in: &[API_CLIENT_ID],
            },
        ],
    },
    Known {
        name: "Entra ID",
        page: "azure-ad-b2c.md#entra-id-v2",
        note: "Microsoft signs for all tenants with the same keys. The API must accept v2 tokens \
               (accessTokenAcceptedVersion 2). Users need the scope profile, which brings oid.",
        algorithms: "RS256",
        sub: "pairwise: `oid`",
        forms: &[Form {
            which: "",
            urls: &[
                "https://login.microsoftonline.com/<tenant_id>/v2.0",
                "https://login.microsoftonline.com/<tenant_id>/discovery/v2.0/keys",
                "https://login.microsoftonline.com/<tenant_id>/discovery/keys",
                "https://login.microsoftonline.com/<tenant_id>",
            ],
            entries: &[Entry {
                issuer: "https://login.microsoftonline.com/<tenant_id>/v2.0",
                jwks_url: Some("https://login.microsoftonline.com/<tenant_id>/discovery/v2.0/keys"),
                audience: Some("<audience>"),
                user_id_claim: Some("oid"),
                algorithms: Some("RS256"),
                ..PLAIN
            }],
            to_fill_in: &[
                guid(
                    "tenant_id",
                    "the id of the tenant, a GUID in lower case; never common or organizations",
                ),
                API_CLIENT_ID,
            ],
        }],
    },
    Known {
        name: "Firebase",
        page: "firebase.md",
        note: "Google signs for all Firebase projects with the same keys: only issuer and audience separate them.",
        algorithms: "RS256",
        sub: "uid, text",
        forms: &[Form {
            which: "",
            urls: &[
                "https://securetoken.google.com/<project_id>",
                FIREBASE_KEYS,
                "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com",
            ],
            entries: &[Entry {
                issuer: "https://securetoken.google.com/<project_id>",
                jwks_url: Some(FIREBASE_KEYS),
                audience: Some("<project_id>"),
                ..PLAIN
            }],
            to_fill_in: &[word("project_id", "the id of your Firebase project, not its number")],
        }],
    },
    // Google, OpenID Connect API reference (developers.google.com/identity/openid-connect/reference): the forms of `iss`.
    // Its discovery document: `jwks_uri`.
    Known {
        name: "Google",
        page: "README.md#google",
        note: "These are ID tokens. Google signs for all its clients with the same keys. iss has two forms, each with an \
               entry; the second is that of older implementations.",
        algorithms: "RS256",
        sub: "digits, text",
        forms: &[Form {
            which: "",
            urls: &["https://accounts.google.com", GOOGLE_KEYS],
            entries: &[
                Entry {
                    issuer: "https://accounts.google.com",
                    jwks_url: Some(GOOGLE_KEYS),
                    audience: Some("<audience>"),
                    ..PLAIN
                },
                Entry {
                    issuer: "accounts.google.com",
                    jwks_url: Some(GOOGLE_KEYS),
                    audience: Some("<audience>"),
                    ..PLAIN
                },
            ],
            to_fill_in: &[text(
                "audience",
                "your client id, which ends with .apps.googleusercontent.com",
            )],
        }],
    },
    Known {
        name: "Cognito",
        page: "cognito.md",
        note: "This entry accepts access tokens, which have client_id and no aud. ID tokens need another entry: see the page.",
        algorithms: "RS256",
        sub: "UUID",
        forms: &[Form {
            which: "",
            urls: &["https://cognito-idp.<region>.amazonaws.com/<user_pool_id>"],
            entries: &[Entry {
                issuer: "https://cognito-idp.<region>.amazonaws.com/<user_pool_id>",
                jwks_url: Some("https://cognito-idp.<region>.amazonaws.com/<user_pool_id>/.well-known/jwks.json"),
                claims: &[("token_use", "access"), ("client_id", "<client_id>")],
                ..PLAIN
            }],
            to_fill_in: &[text("client_id", "the id of your app client")],
        }],
    },
    // Okta, Authorization servers (developer.okta.com/docs/concepts/auth-servers): issuers and key sets. Okta, Validation
    // failed on access token issued by the org authorization server (support.okta.com): these cannot be verified.
    Known {
        name: "Okta",
        page: "README.md#okta",
        note: "sub is the login name; uid is the stable id. Only custom authorization servers issue access tokens for an API.",
        algorithms: "RS256",
        sub: "login: `uid`",
        forms: &[
            Form {
                which: "the server default",
                urls: &["<address>/oauth2/default", "<address>/oauth2/default/v1/keys"],
                entries: &[Entry {
                    issuer: "<address>/oauth2/default",
                    jwks_url: Some("<address>/oauth2/default/v1/keys"),
                    audience: Some("api://default"),
                    user_id_claim: Some("uid"),
                    ..PLAIN
                }],
                to_fill_in: &[],
            },
            Form {
                which: "another server",
                urls: &[
                    "https://<org>.okta.com/oauth2/<server>",
                    "https://<org>.okta.com/oauth2/<server>/v1/keys",
                ],
                entries: &[Entry {
                    issuer: "https://<org>.okta.com/oauth2/<server>",
                    jwks_url: Some("https://<org>.okta.com/oauth2/<server>/v1/keys"),
                    audience: Some("<audience>"),
                    user_id_claim: Some("uid"),
                    ..PLAIN
                }],
                to_fill_in: &[text("audience", "the audience of the authorization server")],
            },
            Form {
                which: "the org's own server",
                urls: &["https://<org>.okta.com", "https://<org>.okta.com/oauth2/v1/keys"],
                entries: &[],
                to_fill_in: &[],
            },
        ],
    },
];
