//! Each form of each provider's URLs, and the entry that follows.

use rstest::rstest;

use super::{is_usable, recognized, url_problem};

const PROJECT: &str = "0b7a1c52-1111-4a4a-8c8c-0123456789ab";
const TENANT: &str = "9122040d-6c67-4c5b-b112-36a304b66dad";

/// The documents below an issuer.
const DOCUMENTS: [&str; 4] = [
    "",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
];

/// All of the URLs lead to this entry, which our own parser accepts.
#[track_caller]
fn lead_to(urls: &[&str], name: &str, fill_in: &str, expected: &[&str]) {
    for url in urls {
        let url = url.replace("$project", PROJECT).replace("$tenant", TENANT);
        let expected: Vec<String> = expected
            .iter()
            .map(|entry| entry.replace("$project", PROJECT).replace("$tenant", TENANT))
            .collect();
        assert_eq!(recognized(&url, fill_in), (name, expected.clone(), vec![]), "{url}");
        assert!(expected.iter().all(|entry| is_usable(entry)), "{expected:?}");
    }
}

#[rstest]
#[case::clerk_development(
    "Clerk", "https://quick-otter-12.clerk.accounts.dev", r#"{"azp": "https://app.example.com"}"#,
    r#"{"issuer": "https://quick-otter-12.clerk.accounts.dev", "jwks_url": "https://quick-otter-12.clerk.accounts.dev/.well-known/jwks.json", "claims": {"azp": "https://app.example.com"}, "roles": ["authenticated"]}"#
)]
#[case::clerk_production(
    "Clerk", "https://clerk.example.com", r#"{"azp": null}"#,
    r#"{"issuer": "https://clerk.example.com", "jwks_url": "https://clerk.example.com/.well-known/jwks.json", "roles": ["authenticated"]}"#
)]
#[case::auth0(
    "Auth0", "https://shop.eu.auth0.com", r#"{"audience": "https://api.example.com"}"#,
    r#"{"issuer": "https://shop.eu.auth0.com/", "audience": "https://api.example.com", "jwks_url": "https://shop.eu.auth0.com/.well-known/jwks.json", "roles": ["authenticated"]}"#
)]
#[case::stack_auth(
    "Stack Auth", "https://api.stack-auth.com/api/v1/projects/$project", "{}",
    r#"{"issuer": "https://api.stack-auth.com/api/v1/projects/$project", "audience": "$project", "jwks_url": "https://api.stack-auth.com/api/v1/projects/$project/.well-known/jwks.json", "roles": ["authenticated"]}"#
)]
#[case::stack_auth_anonymous(
    "Stack Auth", "https://api.stack-auth.com/api/v1/projects-anonymous-users/$project", "{}",
    r#"{"issuer": "https://api.stack-auth.com/api/v1/projects-anonymous-users/$project", "audience": "$project:anon", "jwks_url": "https://api.stack-auth.com/api/v1/projects/$project/.well-known/jwks.json?include_anonymous=true", "roles": ["anonymous"]}"#
)]
#[case::neon_auth(
    "Neon Auth", "https://ep-quiet-lake.neonauth.us-east-1.aws.neon.tech/neondb/auth", "{}",
    r#"{"issuer": "https://ep-quiet-lake.neonauth.us-east-1.aws.neon.tech", "audience": "https://ep-quiet-lake.neonauth.us-east-1.aws.neon.tech", "jwks_url": "https://ep-quiet-lake.neonauth.us-east-1.aws.neon.tech/neondb/auth/.well-known/jwks.json", "roles": ["authenticated"]}"#
)]
#[case::neon_auth_from_its_issuer(
    "Neon Auth", "https://ep-quiet-lake.aws.neon.tech", r#"{"database": "shop"}"#,
    r#"{"issuer": "https://ep-quiet-lake.aws.neon.tech", "audience": "https://ep-quiet-lake.aws.neon.tech", "jwks_url": "https://ep-quiet-lake.aws.neon.tech/shop/auth/.well-known/jwks.json", "roles": ["authenticated"]}"#
)]
#[case::supabase(
    "Supabase", "https://qwertyuiop.supabase.co/auth/v1", "{}",
    r#"{"issuer": "https://qwertyuiop.supabase.co/auth/v1", "audience": "authenticated", "jwks_url": "https://qwertyuiop.supabase.co/auth/v1/.well-known/jwks.json", "roles": ["authenticated"]}"#
)]
#[case::firebase(
    "Firebase", "https://securetoken.google.com/shop-1a2b3", "{}",
    r#"{"issuer": "https://securetoken.google.com/shop-1a2b3", "audience": "shop-1a2b3", "jwks_url": "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com", "roles": ["authenticated"]}"#
)]
#[case::cognito(
    "Cognito", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123", r#"{"client_id": ["one", "two"]}"#,
    r#"{"issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123", "jwks_url": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123/.well-known/jwks.json", "claims": {"token_use": "access", "client_id": ["one", "two"]}, "roles": ["authenticated"]}"#
)]
#[case::entra(
    "Entra ID", "https://login.microsoftonline.com/$tenant/v2.0", r#"{"audience": "6e74172b-be56-4843-9ff4-e66a39bb12e3"}"#,
    r#"{"issuer": "https://login.microsoftonline.com/$tenant/v2.0", "audience": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "jwks_url": "https://login.microsoftonline.com/$tenant/discovery/v2.0/keys", "user_id_claim": "oid", "algorithms": ["RS256"], "roles": ["authenticated"]}"#
)]
#[case::keycloak(
    "Keycloak", "https://id.example.com/realms/shop", r#"{"audience": "shop-api"}"#,
    r#"{"issuer": "https://id.example.com/realms/shop", "audience": "shop-api", "jwks_url": "https://id.example.com/realms/shop/protocol/openid-connect/certs", "roles": ["authenticated"]}"#
)]
#[case::old_keycloak_on_this_machine(
    "Keycloak", "http://localhost:8080/auth/realms/shop", r#"{"audience": "shop-api"}"#,
    r#"{"issuer": "http://localhost:8080/auth/realms/shop", "audience": "shop-api", "jwks_url": "http://localhost:8080/auth/realms/shop/protocol/openid-connect/certs", "roles": ["authenticated"]}"#
)]
#[case::okta_default(
    "Okta", "https://dev-12.okta.com/oauth2/default", "{}",
    r#"{"issuer": "https://dev-12.okta.com/oauth2/default", "audience": "api://default", "jwks_url": "https://dev-12.okta.com/oauth2/default/v1/keys", "user_id_claim": "uid", "roles": ["authenticated"]}"#
)]
#[case::okta_custom(
    "Okta", "https://dev-12.okta.com/oauth2/aus9o8wzkhckw9TLa0h7z", r#"{"audience": "api://shop"}"#,
    r#"{"issuer": "https://dev-12.okta.com/oauth2/aus9o8wzkhckw9TLa0h7z", "audience": "api://shop", "jwks_url": "https://dev-12.okta.com/oauth2/aus9o8wzkhckw9TLa0h7z/v1/keys", "user_id_claim": "uid", "roles": ["authenticated"]}"#
)]
#[case::workos_with_the_client(
    "WorkOS", "https://api.workos.com/user_management/client_01HYSHOP", "{}",
    r#"{"issuer": "https://api.workos.com/user_management/client_01HYSHOP", "jwks_url": "https://api.workos.com/sso/jwks/client_01HYSHOP", "roles": ["authenticated"]}"#
)]
#[case::workos_without_the_client(
    "WorkOS", "https://api.workos.com", r#"{"client_id": "client_01HYSHOP"}"#,
    r#"{"issuer": "https://api.workos.com", "jwks_url": "https://api.workos.com/sso/jwks/client_01HYSHOP", "roles": ["authenticated"]}"#
)]
#[case::descope_with_a_url(
    "Descope", "https://api.descope.com/P2abcPROJ", "{}",
    r#"{"issuer": "https://api.descope.com/P2abcPROJ", "audience": "P2abcPROJ", "jwks_url": "https://api.descope.com/v2/keys/P2abcPROJ", "roles": ["authenticated"]}"#
)]
fn issuer_and_its_documents(#[case] name: &str, #[case] issuer: &str, #[case] fill_in: &str, #[case] expected: &str) {
    for document in DOCUMENTS {
        lead_to(&[&format!("{issuer}{document}")], name, fill_in, &[expected]);
    }
    lead_to(&[&format!("{issuer}/")], name, fill_in, &[expected]);
}

#[rstest]
#[case::stytch_test(
    "Stytch", &["https://test.stytch.com/v1/sessions/jwks/project-test-7f", "stytch.com/project-test-7f", "https://stytch.com/project-test-7f"], "{}",
    &[r#"{"issuer": "stytch.com/project-test-7f", "audience": "project-test-7f", "jwks_url": "https://test.stytch.com/v1/sessions/jwks/project-test-7f", "roles": ["authenticated"]}"#]
)]
#[case::stytch_live(
    "Stytch", &["https://api.stytch.com/v1/sessions/jwks/project-live-7f", "stytch.com/project-live-7f"], "{}",
    &[r#"{"issuer": "stytch.com/project-live-7f", "audience": "project-live-7f", "jwks_url": "https://api.stytch.com/v1/sessions/jwks/project-live-7f", "roles": ["authenticated"]}"#]
)]
#[case::better_auth(
    "Better Auth", &["https://app.example.com/api/auth/jwks", "https://app.example.com/api/auth", "https://app.example.com/api/auth/"], "{}",
    &[r#"{"issuer": "https://app.example.com", "audience": "https://app.example.com", "jwks_url": "https://app.example.com/api/auth/jwks", "roles": ["authenticated"]}"#]
)]
#[case::better_auth_on_this_machine(
    "Better Auth", &["http://localhost:3000/api/auth/jwks"], "{}",
    &[r#"{"issuer": "http://localhost:3000", "audience": "http://localhost:3000", "jwks_url": "http://localhost:3000/api/auth/jwks", "roles": ["authenticated"]}"#]
)]
#[case::b2c_user_flow(
    "Azure AD B2C",
    &["https://shop.b2clogin.com/shop.onmicrosoft.com/B2C_1_signin/discovery/v2.0/keys",
      "https://shop.b2clogin.com/shop.onmicrosoft.com/B2C_1_signin/v2.0/.well-known/openid-configuration",
      "https://shop.b2clogin.com/shop.onmicrosoft.com/discovery/v2.0/keys?p=B2C_1_signin",
      "https://shop.b2clogin.com/shop.onmicrosoft.com/v2.0/.well-known/openid-configuration?p=B2C_1_signin"],
    r#"{"tenant_id": "$tenant", "audience": "90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6"}"#,
    &[r#"{"issuer": "https://shop.b2clogin.com/$tenant/v2.0/", "audience": "90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6", "jwks_url": "https://shop.b2clogin.com/shop.onmicrosoft.com/B2C_1_signin/discovery/v2.0/keys", "algorithms": ["RS256"], "roles": ["authenticated"]}"#]
)]
#[case::b2c_issuer(
    "Azure AD B2C", &["https://shop.b2clogin.com/$tenant/v2.0/", "https://shop.b2clogin.com/$tenant/v2.0"],
    r#"{"user_flow": "B2C_1_signin", "audience": "90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6"}"#,
    &[r#"{"issuer": "https://shop.b2clogin.com/$tenant/v2.0/", "audience": "90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6", "jwks_url": "https://shop.b2clogin.com/shop.onmicrosoft.com/B2C_1_signin/discovery/v2.0/keys", "algorithms": ["RS256"], "roles": ["authenticated"]}"#]
)]
#[case::b2c_issuer_with_the_user_flow(
    "Azure AD B2C", &["https://shop.b2clogin.com/tfp/$tenant/b2c_1_signin/v2.0/"],
    r#"{"audience": "90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6"}"#,
    &[r#"{"issuer": "https://shop.b2clogin.com/tfp/$tenant/b2c_1_signin/v2.0/", "audience": "90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6", "jwks_url": "https://shop.b2clogin.com/shop.onmicrosoft.com/b2c_1_signin/discovery/v2.0/keys", "algorithms": ["RS256"], "roles": ["authenticated"]}"#]
)]
#[case::entra(
    "Entra ID",
    &["https://login.microsoftonline.com/$tenant/discovery/v2.0/keys", "https://login.microsoftonline.com/$tenant/discovery/keys",
      "https://login.microsoftonline.com/$tenant"],
    r#"{"audience": "6e74172b-be56-4843-9ff4-e66a39bb12e3"}"#,
    &[r#"{"issuer": "https://login.microsoftonline.com/$tenant/v2.0", "audience": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "jwks_url": "https://login.microsoftonline.com/$tenant/discovery/v2.0/keys", "user_id_claim": "oid", "algorithms": ["RS256"], "roles": ["authenticated"]}"#]
)]
#[case::entra_for_all_tenants(
    "Entra ID",
    &["https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/common/discovery/v2.0/keys",
      "https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration"],
    r#"{"tenant_id": "$tenant", "audience": "6e74172b-be56-4843-9ff4-e66a39bb12e3"}"#,
    &[r#"{"issuer": "https://login.microsoftonline.com/$tenant/v2.0", "audience": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "jwks_url": "https://login.microsoftonline.com/$tenant/discovery/v2.0/keys", "user_id_claim": "oid", "algorithms": ["RS256"], "roles": ["authenticated"]}"#]
)]
#[case::firebase_keys(
    "Firebase",
    &["https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
      "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"],
    r#"{"project_id": "shop-1a2b3"}"#,
    &[r#"{"issuer": "https://securetoken.google.com/shop-1a2b3", "audience": "shop-1a2b3", "jwks_url": "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com", "roles": ["authenticated"]}"#]
)]
#[case::google(
    "Google",
    &["https://accounts.google.com", "accounts.google.com", "https://www.googleapis.com/oauth2/v3/certs",
      "https://accounts.google.com/.well-known/openid-configuration"],
    r#"{"audience": "1-shop.apps.googleusercontent.com"}"#,
    &[r#"{"issuer": "https://accounts.google.com", "audience": "1-shop.apps.googleusercontent.com", "jwks_url": "https://www.googleapis.com/oauth2/v3/certs", "roles": ["authenticated"]}"#,
      r#"{"issuer": "accounts.google.com", "audience": "1-shop.apps.googleusercontent.com", "jwks_url": "https://www.googleapis.com/oauth2/v3/certs", "roles": ["authenticated"]}"#]
)]
#[case::keycloak_keys(
    "Keycloak", &["https://id.example.com/realms/shop/protocol/openid-connect/certs"], r#"{"audience": "shop-api"}"#,
    &[r#"{"issuer": "https://id.example.com/realms/shop", "audience": "shop-api", "jwks_url": "https://id.example.com/realms/shop/protocol/openid-connect/certs", "roles": ["authenticated"]}"#]
)]
#[case::okta_on_another_host(
    "Okta", &["https://login.example.com/oauth2/default/v1/keys", "https://login.example.com/oauth2/default"], "{}",
    &[r#"{"issuer": "https://login.example.com/oauth2/default", "audience": "api://default", "jwks_url": "https://login.example.com/oauth2/default/v1/keys", "user_id_claim": "uid", "roles": ["authenticated"]}"#]
)]
#[case::workos_keys(
    "WorkOS", &["https://api.workos.com/sso/jwks/client_01HYSHOP"], "{}",
    &[r#"{"issuer": "https://api.workos.com/user_management/client_01HYSHOP", "jwks_url": "https://api.workos.com/sso/jwks/client_01HYSHOP", "roles": ["authenticated"]}"#,
      r#"{"issuer": "https://api.workos.com", "jwks_url": "https://api.workos.com/sso/jwks/client_01HYSHOP", "roles": ["authenticated"]}"#]
)]
#[case::descope_keys(
    "Descope", &["https://api.descope.com/v2/keys/P2abcPROJ"], "{}",
    &[r#"{"issuer": "P2abcPROJ", "audience": "P2abcPROJ", "jwks_url": "https://api.descope.com/v2/keys/P2abcPROJ", "roles": ["authenticated"]}"#]
)]
#[case::key_set_of_another_provider(
    "another provider", &["https://id.example.com/oauth/jwks"],
    r#"{"issuer": "https://id.example.com", "audience": "shop"}"#,
    &[r#"{"issuer": "https://id.example.com", "audience": "shop", "jwks_url": "https://id.example.com/oauth/jwks", "roles": ["authenticated"]}"#]
)]
fn other_urls(#[case] name: &str, #[case] urls: &[&str], #[case] fill_in: &str, #[case] expected: &[&str]) {
    lead_to(urls, name, &fill_in.replace("$tenant", TENANT), expected);
}

#[test]
fn issuer_of_another_provider_is_left_to_discovery() {
    let entry =
        |issuer: &str| format!(r#"{{"issuer": "{issuer}", "audience": "<audience>", "roles": ["authenticated"]}}"#);
    for (url, issuer) in [
        ("https://id.example.com", "https://id.example.com"),
        ("https://id.example.com/", "https://id.example.com/"),
        ("https://id.example.com:8443/a/B", "https://id.example.com:8443/a/B"),
        (
            "https://id.example.com/a/.well-known/openid-configuration",
            "https://id.example.com/a",
        ),
        ("https://id.example.com/.well-known/jwks.json", "https://id.example.com"),
        ("http://127.0.0.1:9000/a", "http://127.0.0.1:9000/a"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("https://auth0.com.example.com", "https://auth0.com.example.com"),
        ("https://shop.auth0.com:8443", "https://shop.auth0.com:8443"),
    ] {
        let expected = ("another provider", vec![entry(issuer)], vec!["audience"]);
        assert_eq!(recognized(url, "{}"), expected, "{url}");
    }
    let without = recognized("https://id.example.com", r#"{"audience": null}"#).1;
    assert_eq!(
        without,
        [r#"{"issuer": "https://id.example.com", "roles": ["authenticated"]}"#]
    );
}

#[test]
fn org_server_of_okta_is_rejected() {
    let problem = "belongs to Okta, the org's own server, whose access tokens cannot be verified";
    for url in [
        "https://dev-12.okta.com",
        "https://dev-12.okta.com/oauth2/v1/keys",
        "https://dev-12.okta.com/.well-known/openid-configuration",
    ] {
        assert_eq!(url_problem(url), problem, "{url}");
    }
}
