//! The providers, each with its URL, its keys, and the tokens of its other tenants and applications.

use super::case::Case;
use crate::providers::shapes::shape::{PLAIN, Shape};
use crate::providers::shapes::table::SHAPES;

/// All providers.
pub const NAMES: [&str; 18] = [
    "clerk",
    "auth0",
    "stack_auth",
    "stack_auth_anonymous",
    "stytch",
    "azure_ad_b2c",
    "entra",
    "neon_auth",
    "better_auth",
    "supabase",
    "firebase",
    "google_id",
    "cognito",
    "keycloak",
    "workos",
    "descope",
    "okta",
    "another",
];

/// The shape of this name.
fn shape(name: &str) -> Shape {
    let shape = SHAPES.into_iter().find(|shape| shape.name == name);
    shape.unwrap_or_else(|| panic!("no shape {name}"))
}

pub fn case(name: &str) -> Case {
    let of = |url, fill_in, keys| Case::new(shape(name), url, fill_in, keys);
    match name {
        "clerk" => of(
            "https://quick-otter-12.clerk.accounts.dev/.well-known/jwks.json",
            r#"{"azp": "https://app.example.com"}"#,
            "https://quick-otter-12.clerk.accounts.dev/.well-known/jwks.json",
        )
        .tenant("https://slow-otter-34.clerk.accounts.dev")
        .claim(r#""https://app.example.com""#, r#""https://other.example.com""#),
        "auth0" => of(
            "https://shop.eu.auth0.com/.well-known/openid-configuration",
            r#"{"audience": "https://api.example.com"}"#,
            "https://shop.eu.auth0.com/.well-known/jwks.json",
        )
        .tenant("https://other.eu.auth0.com/")
        .audience(r#""https://shop.eu.auth0.com/userinfo""#),
        "stack_auth" => of(
            "https://api.stack-auth.com/api/v1/projects/0b7a1c52-1111-4a4a-8c8c-0123456789ab/.well-known/jwks.json",
            "{}",
            "https://api.stack-auth.com/api/v1/projects/0b7a1c52-1111-4a4a-8c8c-0123456789ab/.well-known/jwks.json",
        )
        .tenant("https://api.stack-auth.com/api/v1/projects/0b7a1c52-2222-4a4a-8c8c-0123456789ab")
        .tenant("https://api.stack-auth.com/api/v1/projects-anonymous-users/0b7a1c52-1111-4a4a-8c8c-0123456789ab")
        .audience(r#""0b7a1c52-1111-4a4a-8c8c-0123456789ab:restricted""#),
        // Anonymous users have another issuer, and the key set another query.
        "stack_auth_anonymous" => {
            let shape = Shape {
                kid: "a7Kq1m2Z",
                issuer: "https://api.stack-auth.com/api/v1/projects-anonymous-users/0b7a1c52-1111-4a4a-8c8c-0123456789ab",
                aud: r#""0b7a1c52-1111-4a4a-8c8c-0123456789ab:anon""#,
                payload: r#"{"sub":"$user","branch_id":"main","refresh_token_id":"5d0f","role":"authenticated",
                    "name":null,"email":null,"email_verified":false,"is_anonymous":true,"selected_team_id":null,
                    "iss":"$iss","iat":$now,"aud":$aud,"exp":$exp}"#,
                ..shape("stack_auth")
            };
            let case = Case {
                role: "anonymous",
                ..Case::new(
                    shape,
                    "https://api.stack-auth.com/api/v1/projects-anonymous-users/0b7a1c52-1111-4a4a-8c8c-0123456789ab",
                    "{}",
                    "https://api.stack-auth.com/api/v1/projects/0b7a1c52-1111-4a4a-8c8c-0123456789ab/.well-known/jwks.json?include_anonymous=true",
                )
            };
            case.tenant("https://api.stack-auth.com/api/v1/projects/0b7a1c52-1111-4a4a-8c8c-0123456789ab")
                .audience(r#""0b7a1c52-1111-4a4a-8c8c-0123456789ab""#)
        }
        "stytch" => of(
            "https://test.stytch.com/v1/sessions/jwks/project-test-11aa",
            "{}",
            "https://test.stytch.com/v1/sessions/jwks/project-test-11aa",
        )
        .tenant("stytch.com/project-test-22bb")
        .audience(r#"["project-test-22bb"]"#),
        "azure_ad_b2c" => of(
            "https://shop.b2clogin.com/tfp/775527ff-9a37-4307-8b3d-cc311f58d925/b2c_1_signin/v2.0/",
            r#"{"audience": "90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6"}"#,
            "https://shop.b2clogin.com/shop.onmicrosoft.com/b2c_1_signin/discovery/v2.0/keys",
        )
        .tenant("https://shop.b2clogin.com/tfp/775527ff-0000-4307-8b3d-cc311f58d925/b2c_1_signin/v2.0/")
        .tenant("https://shop.b2clogin.com/tfp/775527ff-9a37-4307-8b3d-cc311f58d925/b2c_1_signup/v2.0/")
        .audience(r#""00000000-bcf2-44d5-8fb7-b8bbc0b29dc6""#),
        "entra" => of(
            "https://login.microsoftonline.com/common/v2.0",
            r#"{"tenant_id": "9122040d-6c67-4c5b-b112-36a304b66dad", "audience": "6e74172b-be56-4843-9ff4-e66a39bb12e3"}"#,
            "https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/discovery/v2.0/keys",
        )
        .tenant("https://login.microsoftonline.com/00000000-6c67-4c5b-b112-36a304b66dad/v2.0")
        .audience(r#""00000000-be56-4843-9ff4-e66a39bb12e3""#),
        "neon_auth" => of(
            "https://ep-quiet-lake.neonauth.us-east-1.aws.neon.tech/neondb/auth/.well-known/jwks.json",
            "{}",
            "https://ep-quiet-lake.neonauth.us-east-1.aws.neon.tech/neondb/auth/.well-known/jwks.json",
        )
        .tenant("https://ep-loud-lake.neonauth.us-east-1.aws.neon.tech")
        .audience(r#""https://other.example.com""#),
        "better_auth" => {
            let shape = Shape {
                issuer: "https://app.example.com",
                aud: r#""https://app.example.com""#,
                ..shape("neon_auth")
            };
            let url = "https://app.example.com/api/auth/jwks";
            Case::new(shape, url, "{}", url)
                .tenant("https://other.example.com")
                .audience(r#""https://other.example.com""#)
        }
        "supabase" => of(
            "https://qwertyuiopasdfgh.supabase.co",
            "{}",
            "https://qwertyuiopasdfgh.supabase.co/auth/v1/.well-known/jwks.json",
        )
        .tenant("https://zxcvbnmzxcvbnmzx.supabase.co/auth/v1")
        .audience(r#""other""#),
        // One key set for the projects of all customers.
        "firebase" => of(
            "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
            r#"{"project_id": "shop-1a2b3"}"#,
            "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
        )
        .tenant("https://securetoken.google.com/shop-4c5d6")
        .audience(r#""shop-4c5d6""#),
        // One issuer for all customers.
        "google_id" => Case {
            also: Some("accounts.google.com"),
            ..of(
                "https://accounts.google.com/.well-known/openid-configuration",
                r#"{"audience": "1029384756-shop.apps.googleusercontent.com"}"#,
                "https://www.googleapis.com/oauth2/v3/certs",
            )
        }
        .audience(r#""5647382910-other.apps.googleusercontent.com""#),
        // An access token: no `aud`, and `client_id` (docs/providers/cognito.md).
        "cognito" => {
            let shape = Shape {
                aud: "",
                payload: r#"{"sub":"$user","iss":"$iss","client_id":"4a5b6c7d8e9f0a1b2c3d4e5f6a",
                    "origin_jti":"1d2e","event_id":"3f4a","token_use":"access","scope":"openid","auth_time":$now,
                    "exp":$exp,"iat":$now,"jti":"5b6c","username":"alice"}"#,
                ..shape(name)
            };
            Case::new(
                shape,
                "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123/.well-known/jwks.json",
                r#"{"client_id": "4a5b6c7d8e9f0a1b2c3d4e5f6a"}"#,
                "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123/.well-known/jwks.json",
            )
            .tenant("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_GhIjKl456")
            .claim("4a5b6c7d8e9f0a1b2c3d4e5f6a", "6f5e4d3c2b1a0f9e8d7c6b5a4f")
            .claim(r#""token_use":"access""#, r#""token_use":"id""#)
        }
        "keycloak" => {
            let shape = Shape {
                aud: r#"["shop-api","account"]"#,
                ..shape(name)
            };
            let url = "https://id.example.com/realms/shop/protocol/openid-connect/certs";
            Case::new(shape, url, r#"{"audience": "shop-api"}"#, url)
                .tenant("https://id.example.com/realms/master")
                .audience(r#""account""#)
        }
        "workos" => Case {
            also: Some("https://api.workos.com"),
            ..of(
                "https://api.workos.com/sso/jwks/client_01HYSHOP",
                "{}",
                "https://api.workos.com/sso/jwks/client_01HYSHOP",
            )
        }
        .tenant("https://api.workos.com/user_management/client_01HYOTHER"),
        "descope" => of(
            "https://api.descope.com/v2/keys/P2abcPROJ",
            "{}",
            "https://api.descope.com/v2/keys/P2abcPROJ",
        )
        .tenant("P2xyzPROJ")
        .audience(r#"["P2xyzPROJ"]"#),
        // The organisation's own server is another issuer.
        "okta" => of(
            "https://dev-12.okta.com/oauth2/default",
            "{}",
            "https://dev-12.okta.com/oauth2/default/v1/keys",
        )
        .tenant("https://dev-12.okta.com")
        .tenant("https://dev-34.okta.com/oauth2/default")
        .audience(r#""https://dev-12.okta.com""#),
        // A server that is not known: its document has its keys.
        "another" => {
            let shape = Shape {
                alg: "ES256",
                kid: "k-1",
                header: r#"{"alg":"ES256","typ":"at+jwt","kid":"$kid"}"#,
                key: r#""use":"sig","kid":"$kid","alg":"ES256""#,
                issuer: "https://login.example.org/shop",
                aud: r#""https://api.example.org""#,
                payload: r#"{"jti":"q0Xk","sub":"$user","iat":$now,"exp":$exp,"client_id":"web","iss":"$iss","aud":$aud}"#,
                user_id: "alice@example.org",
                ..PLAIN
            };
            Case::new(
                shape,
                "https://login.example.org/shop/.well-known/openid-configuration",
                r#"{"audience": "https://api.example.org"}"#,
                "https://login.example.org/shop/jwks",
            )
            .tenant("https://login.example.org/other")
            .audience(r#""https://other.example.org""#)
        }
        other => panic!("no case {other}"),
    }
}
