//! Providers on hosts of any name, by the path, and providers that are not known.

use crate::recognition::known::{Entry, FillIn, Form, Known, PLAIN, optional_text, text};

pub static SERVERS: [Known; 2] = [
    Known {
        name: "Keycloak",
        page: "keycloak.md",
        note: "An audience mapper of the realm adds the audience to the tokens. Do not fill in account: the tokens of every \
               client have it.",
        algorithms: "RS256",
        sub: "UUID",
        forms: &[Form {
            which: "",
            urls: &[
                "<address>/realms/<realm>",
                "<address>/realms/<realm>/protocol/openid-connect/certs",
            ],
            entries: &[Entry {
                issuer: "<address>/realms/<realm>",
                jwks_url: Some("<address>/realms/<realm>/protocol/openid-connect/certs"),
                audience: Some("<audience>"),
                ..PLAIN
            }],
            to_fill_in: &[text(
                "audience",
                "the client id of your API, which an audience mapper adds",
            )],
        }],
    },
    Known {
        name: "Better Auth",
        page: "neon-auth.md",
        note: "The server must reach the application for its keys. sub is text unless your configuration makes it a UUID.",
        algorithms: "EdDSA",
        sub: "user id",
        forms: &[Form {
            which: "",
            urls: &["<address>/api/auth/jwks", "<address>/api/auth"],
            entries: &[Entry {
                issuer: "<address>",
                jwks_url: Some("<address>/api/auth/jwks"),
                audience: Some("<address>"),
                ..PLAIN
            }],
            to_fill_in: &[],
        }],
    },
];

/// The key set of any other provider.
pub const KEY_SET: Form = Form {
    which: "key set",
    urls: &["<url>"],
    entries: &[Entry {
        issuer: "<issuer>",
        jwks_url: Some("<url>"),
        audience: Some("<audience>"),
        ..PLAIN
    }],
    to_fill_in: &[text("issuer", "iss of the tokens, exactly"), AUDIENCE],
};

/// The issuer or discovery document of any other provider: discovery finds its keys.
pub const ISSUER: Form = Form {
    which: "issuer or discovery document",
    urls: &["<url>"],
    entries: &[Entry {
        issuer: "<url>",
        audience: Some("<audience>"),
        ..PLAIN
    }],
    to_fill_in: &[AUDIENCE],
};

const AUDIENCE: FillIn = optional_text("audience", "aud of the tokens");

/// Any other provider. `<url>` is the URL as it was given, without the name of its discovery document.
pub static OTHER: Known = Known {
    name: "another provider",
    page: "README.md#another-provider",
    note: "Compare iss, aud and sub of one token with this entry. Fill in null for the audience only if the tokens have no \
           aud: then all applications of this issuer are accepted.",
    algorithms: "",
    sub: "",
    forms: &[KEY_SET, ISSUER],
};
