//! The discovery documents of the providers, with the members that each of them publishes.
//!
//! Stack Auth, Neon Auth and Better Auth publish none by default. The issuers of Stytch and Descope are no URLs, so that
//! none can be found by them.

/// The document of a provider; `$issuer` and `$keys` stand for its issuer without a slash at the end, and its `jwks_uri`.
pub fn document(name: &str) -> Option<&'static str> {
    Some(match name {
        "clerk" => {
            r#"{"issuer":"$issuer","authorization_endpoint":"$issuer/oauth/authorize",
            "token_endpoint":"$issuer/oauth/token","revocation_endpoint":"$issuer/oauth/token/revoke",
            "introspection_endpoint":"$issuer/oauth/token_info","userinfo_endpoint":"$issuer/oauth/userinfo",
            "jwks_uri":"$keys","scopes_supported":["openid","profile","email"],"response_types_supported":["code"],
            "grant_types_supported":["authorization_code","refresh_token"],"subject_types_supported":["public"],
            "id_token_signing_alg_values_supported":["RS256"],"code_challenge_methods_supported":["S256"],
            "token_endpoint_auth_methods_supported":["client_secret_basic","none","client_secret_post"],
            "claims_supported":["sub","iss","aud","exp","iat","email","name"]}"#
        }
        // The issuer has a slash at its end, and HS256 is announced.
        "auth0" => {
            r#"{"issuer":"$issuer/","authorization_endpoint":"$issuer/authorize","token_endpoint":"$issuer/oauth/token",
            "device_authorization_endpoint":"$issuer/oauth/device/code","userinfo_endpoint":"$issuer/userinfo",
            "mfa_challenge_endpoint":"$issuer/mfa/challenge","jwks_uri":"$keys",
            "registration_endpoint":"$issuer/oidc/register","revocation_endpoint":"$issuer/oauth/revoke",
            "scopes_supported":["openid","profile","offline_access"],"response_types_supported":["code","id_token"],
            "code_challenge_methods_supported":["S256","plain"],"response_modes_supported":["query","form_post"],
            "subject_types_supported":["public"],"claims_supported":["aud","iss","sub"],
            "request_uri_parameter_supported":false,"request_parameter_supported":false,
            "id_token_signing_alg_values_supported":["HS256","RS256","PS256"],
            "token_endpoint_auth_signing_alg_values_supported":["RS256","RS384","PS256"],
            "backchannel_logout_supported":true,"backchannel_logout_session_supported":true}"#
        }
        // Of one user flow: the issuer in its form with `tfp`.
        "azure_ad_b2c" => {
            r#"{"issuer":"$issuer/","authorization_endpoint":"https://shop.b2clogin.com/shop.onmicrosoft.com/b2c_1_signin/oauth2/v2.0/authorize",
            "token_endpoint":"https://shop.b2clogin.com/shop.onmicrosoft.com/b2c_1_signin/oauth2/v2.0/token",
            "end_session_endpoint":"https://shop.b2clogin.com/shop.onmicrosoft.com/b2c_1_signin/oauth2/v2.0/logout",
            "jwks_uri":"$keys","response_modes_supported":["query","fragment","form_post"],
            "response_types_supported":["code","code id_token","id_token"],"scopes_supported":["openid"],
            "subject_types_supported":["pairwise"],"id_token_signing_alg_values_supported":["RS256"],
            "token_endpoint_auth_methods_supported":["client_secret_post","client_secret_basic"],
            "claims_supported":["name","emails","sub","tfp","iss","iat","exp","aud","acr","nonce","auth_time"]}"#
        }
        // A member is null, and the key set is not below the issuer.
        "entra" => {
            r#"{"token_endpoint":"https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt","client_secret_basic"],
            "jwks_uri":"$keys","response_modes_supported":["query","fragment","form_post"],
            "subject_types_supported":["pairwise"],"id_token_signing_alg_values_supported":["RS256"],
            "response_types_supported":["code","id_token","code id_token","id_token token"],
            "scopes_supported":["openid","profile","email","offline_access"],"issuer":"$issuer",
            "request_uri_parameter_supported":false,"userinfo_endpoint":"https://graph.microsoft.com/oidc/userinfo",
            "http_logout_supported":true,"frontchannel_logout_supported":true,"claims_supported":["sub","iss","tid"],
            "tenant_region_scope":null,"cloud_instance_name":"microsoftonline.com",
            "cloud_graph_host_name":"graph.windows.net","msgraph_host":"graph.microsoft.com",
            "rbac_url":"https://pas.windows.net"}"#
        }
        "supabase" => {
            r#"{"issuer":"$issuer","authorization_endpoint":"$issuer/oauth/authorize",
            "token_endpoint":"$issuer/oauth/token","jwks_uri":"$keys","userinfo_endpoint":"$issuer/oauth/userinfo",
            "response_types_supported":["code"],"response_modes_supported":["query"],
            "grant_types_supported":["authorization_code","refresh_token"],"subject_types_supported":["public"],
            "id_token_signing_alg_values_supported":["RS256","HS256","ES256"],
            "scopes_supported":["openid","profile","email","phone"],"code_challenge_methods_supported":["S256"]}"#
        }
        // Only what OpenID Connect requires.
        "firebase" => {
            r#"{"issuer":"$issuer","jwks_uri":"$keys","response_types_supported":["id_token"],
            "subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]}"#
        }
        // The endpoints have other hosts than the issuer.
        "google_id" => {
            r#"{"issuer":"$issuer","authorization_endpoint":"$issuer/o/oauth2/v2/auth",
            "device_authorization_endpoint":"https://oauth2.googleapis.com/device/code",
            "token_endpoint":"https://oauth2.googleapis.com/token",
            "userinfo_endpoint":"https://openidconnect.googleapis.com/v1/userinfo",
            "revocation_endpoint":"https://oauth2.googleapis.com/revoke","jwks_uri":"$keys",
            "response_types_supported":["code","token","id_token","none"],"subject_types_supported":["public"],
            "id_token_signing_alg_values_supported":["RS256"],"scopes_supported":["openid","email","profile"],
            "claims_supported":["aud","email","exp","iat","iss","sub"],
            "code_challenge_methods_supported":["plain","S256"]}"#
        }
        "cognito" => {
            r#"{"authorization_endpoint":"https://shop.auth.eu-west-1.amazoncognito.com/oauth2/authorize",
            "end_session_endpoint":"https://shop.auth.eu-west-1.amazoncognito.com/logout",
            "id_token_signing_alg_values_supported":["RS256"],"issuer":"$issuer","jwks_uri":"$keys",
            "response_types_supported":["code","token"],
            "revocation_endpoint":"https://shop.auth.eu-west-1.amazoncognito.com/oauth2/revoke",
            "scopes_supported":["openid","email","phone","profile"],"subject_types_supported":["public"],
            "token_endpoint":"https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token",
            "token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"],
            "userinfo_endpoint":"https://shop.auth.eu-west-1.amazoncognito.com/oauth2/userInfo"}"#
        }
        // All algorithms are announced, and an object is among the members.
        "keycloak" => {
            r#"{"issuer":"$issuer","authorization_endpoint":"$issuer/protocol/openid-connect/auth",
            "token_endpoint":"$issuer/protocol/openid-connect/token","jwks_uri":"$keys",
            "introspection_endpoint":"$issuer/protocol/openid-connect/token/introspect",
            "end_session_endpoint":"$issuer/protocol/openid-connect/logout",
            "check_session_iframe":"$issuer/protocol/openid-connect/login-status-iframe.html",
            "frontchannel_logout_session_supported":true,"acr_values_supported":["0","1"],
            "grant_types_supported":["authorization_code","client_credentials","urn:ietf:params:oauth:grant-type:uma-ticket"],
            "subject_types_supported":["public","pairwise"],"claims_parameter_supported":true,
            "id_token_signing_alg_values_supported":["PS384","RS384","EdDSA","ES384","HS256","HS512","ES256","RS256",
            "HS384","ES512","PS256","PS512","RS512"],"id_token_encryption_alg_values_supported":["ECDH-ES","RSA-OAEP"],
            "mtls_endpoint_aliases":{"token_endpoint":"$issuer/protocol/openid-connect/token"},
            "authorization_response_iss_parameter_supported":true}"#
        }
        "workos" => {
            r#"{"issuer":"$issuer","authorization_endpoint":"https://api.workos.com/user_management/authorize",
            "token_endpoint":"https://api.workos.com/user_management/authenticate","jwks_uri":"$keys",
            "response_types_supported":["code"],"subject_types_supported":["public"],
            "id_token_signing_alg_values_supported":["RS256"]}"#
        }
        "okta" => {
            r#"{"issuer":"$issuer","authorization_endpoint":"$issuer/v1/authorize","token_endpoint":"$issuer/v1/token",
            "userinfo_endpoint":"$issuer/v1/userinfo","registration_endpoint":"https://dev-12.okta.com/oauth2/v1/clients",
            "jwks_uri":"$keys","response_types_supported":["code","id_token","code token"],
            "response_modes_supported":["query","fragment","form_post","okta_post_message"],
            "grant_types_supported":["authorization_code","urn:okta:params:oauth:grant-type:otp"],
            "subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"],
            "request_object_signing_alg_values_supported":["HS256","RS256","ES256"],"request_parameter_supported":true,
            "dpop_signing_alg_values_supported":["RS256","ES256"],"claims_supported":["ver","jti","iss","aud","sub"]}"#
        }
        // A server that no table knows, such as oidc-provider.
        "another" => {
            r#"{"authorization_endpoint":"$issuer/auth","claims_parameter_supported":false,"claims_supported":["sub"],
            "code_challenge_methods_supported":["S256"],"grant_types_supported":["implicit","authorization_code"],
            "issuer":"$issuer","jwks_uri":"$keys","authorization_response_iss_parameter_supported":true,
            "id_token_signing_alg_values_supported":["PS256","RS256","ES256"],"response_types_supported":["code"],
            "subject_types_supported":["public"],"token_endpoint":"$issuer/token"}"#
        }
        _ => return None,
    })
}
