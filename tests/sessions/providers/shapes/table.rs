//! The tokens, key sets and settings of the providers, each with what is unusual about it.

use super::shape::{PLAIN, Shape};

pub const SHAPES: [Shape; 15] = [
    // `cat` in the header, a `jti` that is no number, the organisation in short names, no `aud`.
    Shape {
        name: "clerk",
        kid: "ins_2fQk7Zc1Vw",
        header: r#"{"alg":"RS256","cat":"cl_session","kid":"$kid","typ":"JWT"}"#,
        issuer: "https://quick-otter-12.clerk.accounts.dev",
        other_issuer: "https://quick-otter-12.clerk.accounts.dev/",
        payload: r#"{"azp":"https://app.example.com","exp":$exp,"fva":[0,-1],"iat":$now,"iss":"$iss",
            "jti":"7f3c0be2a9d14e55a1c2","nbf":$now,
            "o":{"fpm":"3","id":"org_2fQkAcme","per":"manage,read","rol":"admin","slg":"acme"},
            "pla":"u:free","sid":"sess_2fQkS","sts":"active","sub":"$user","v":2}"#,
        user_id: "user_2fQk8Jm0nT",
        claims: &[
            (
                "auth.organization()::text",
                r#"{"id": "org_2fQkAcme", "fpm": "3", "per": "manage,read", "rol": "admin", "slg": "acme"}"#,
            ),
            ("coalesce(auth.organization_id()::text, 'NULL')", "NULL"),
            ("auth.session()->>'jti'", "7f3c0be2a9d14e55a1c2"),
        ],
        ..PLAIN
    },
    // An issuer with a slash at its end, `at+jwt`, a subject with `|`, a list of audiences; x5t of a wrong form.
    Shape {
        name: "auth0",
        kid: "tMQzailSAdaW4nojXxES9",
        header: r#"{"alg":"RS256","typ":"at+jwt","kid":"$kid"}"#,
        key: r#""alg":"RS256","use":"sig","kid":"$kid","x5t":"RkE3OUM5QTYxQjM0=|","x5c":["$x5c"]"#,
        issuer: "https://shop.eu.auth0.com/",
        other_issuer: "https://shop.eu.auth0.com",
        more: r#","audience":"https://api.example.com""#,
        aud: r#"["https://api.example.com","https://shop.eu.auth0.com/userinfo"]"#,
        other_aud: &[
            r#""https://shop.eu.auth0.com/userinfo""#,
            r#"["https://api.example.com/"]"#,
        ],
        payload: r#"{"iss":"$iss","sub":"$user","aud":$aud,"iat":$now,"exp":$exp,
            "scope":"openid profile","azp":"J4sk2lQx","permissions":["read:orders"]}"#,
        user_id: "auth0|65f1c0ffee",
        claims: &[("auth.session()#>>'{permissions,0}'", "read:orders")],
        ..PLAIN
    },
    // ES256, a key without `use`, a project id as audience, which anonymous users have with a suffix.
    Shape {
        name: "stack_auth",
        alg: "ES256",
        kid: "r0zs3I9r",
        header: r#"{"alg":"ES256","kid":"$kid"}"#,
        key: r#""alg":"ES256","kid":"$kid""#,
        issuer: "https://api.stack-auth.com/api/v1/projects/0b7a1c52-1111-4a4a-8c8c-0123456789ab",
        other_issuer: "https://api.stack-auth.com/api/v1/projects/0b7a1c52-2222-4a4a-8c8c-0123456789ab",
        more: r#","audience":"0b7a1c52-1111-4a4a-8c8c-0123456789ab""#,
        aud: r#""0b7a1c52-1111-4a4a-8c8c-0123456789ab""#,
        other_aud: &[r#""0b7a1c52-1111-4a4a-8c8c-0123456789ab:anon""#],
        payload: r#"{"sub":"$user","branch_id":"main","refresh_token_id":"5d0f","role":"authenticated",
            "name":null,"email":"alice@example.com","email_verified":true,"selected_team_id":null,
            "iss":"$iss","iat":$now,"aud":$aud,"exp":$exp}"#,
        user_id: "6f1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
        claims: &[("auth.role()", "authenticated"), ("auth.email()", "alice@example.com")],
        ..PLAIN
    },
    // An issuer that is no URL, members beside the keys, `key_ops` and `x5tS256` in the key.
    Shape {
        name: "stytch",
        kid: "jwk-test-3b9d",
        key: r#""alg":"RS256","use":"sig","key_ops":["verify"],"kid":"$kid","x5c":["$x5c"],"x5tS256":"$x5t256""#,
        beside: r#","request_id":"request-id-test-1","status_code":200"#,
        issuer: "stytch.com/project-test-11aa",
        other_issuer: "https://stytch.com/project-test-11aa",
        more: r#","audience":["project-test-11aa"]"#,
        aud: r#"["project-test-11aa"]"#,
        other_aud: &[r#"["project-live-11aa"]"#],
        payload: r#"{"aud":$aud,"exp":$exp,
            "https://stytch.com/session":{"id":"session-test-1","attributes":{"ip_address":"192.0.2.1"},
            "authentication_factors":[{"type":"magic_link","delivery_method":"email"}]},
            "iat":$now,"iss":"$iss","nbf":$now,"sub":"$user"}"#,
        user_id: "user-test-77fe",
        claims: &[("auth.session()#>>'{https://stytch.com/session,id}'", "session-test-1")],
        ..PLAIN
    },
    // A set for each policy, whose keys have neither `alg` nor certificates; the policy's name in `tfp`.
    Shape {
        name: "azure_ad_b2c",
        kid: "X5eXk4xyojNFum1kl2Ytv8dlNP4-c57dO6QGTVBwaNk",
        header: r#"{"typ":"JWT","alg":"RS256","kid":"$kid"}"#,
        key: r#""kid":"$kid","nbf":1493763266,"use":"sig""#,
        issuer: "https://shop.b2clogin.com/tfp/775527ff-9a37-4307-8b3d-cc311f58d925/b2c_1_signin/v2.0/",
        other_issuer: "https://shop.b2clogin.com/tfp/775527ff-9a37-4307-8b3d-cc311f58d925/b2c_1_signup/v2.0/",
        more: r#","audience":"90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6""#,
        aud: r#""90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6""#,
        other_aud: &[r#""90C0FE63-BCF2-44D5-8FB7-B8BBC0B29DC6""#],
        payload: r#"{"iss":"$iss","exp":$exp,"nbf":$now,"aud":$aud,"sub":"$user","name":"Alice",
            "emails":["alice@example.com"],"tfp":"B2C_1_signin","ver":"1.0","iat":$now}"#,
        user_id: "884408e1-2918-4cd0-b12d-3aa027d7563b",
        claims: &[
            ("auth.session()->>'tfp'", "B2C_1_signin"),
            ("auth.uid()::text", "884408e1-2918-4cd0-b12d-3aa027d7563b"),
        ],
        ..PLAIN
    },
    // The stable id is `oid`; `sub` differs from one application to the next. Keys have `issuer` and no `alg`.
    Shape {
        name: "entra",
        kid: "9GmnyFPkhc3hOuR22mvSvgnLo7Y",
        header: r#"{"typ":"JWT","alg":"RS256","kid":"$kid"}"#,
        key: r#""use":"sig","kid":"$kid","x5t":"$kid","x5c":["$x5c"],
            "cloud_instance_name":"microsoftonline.com","issuer":"https://login.microsoftonline.com/{tenantid}/v2.0""#,
        issuer: "https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        other_issuer: "https://login.microsoftonline.com/00000000-6c67-4c5b-b112-36a304b66dad/v2.0",
        more: r#","audience":"6e74172b-be56-4843-9ff4-e66a39bb12e3","user_id_claim":"oid""#,
        aud: r#""6e74172b-be56-4843-9ff4-e66a39bb12e3""#,
        other_aud: &[r#""api://6e74172b-be56-4843-9ff4-e66a39bb12e3""#],
        payload: r#"{"aud":$aud,"iss":"$iss","iat":$now,"nbf":$now,"exp":$exp,"aio":"AXQAi/8TA","azpacr":"0",
            "name":"Alice","oid":"$user","rh":"I","scp":"access_as_user",
            "sub":"HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
            "tid":"9122040d-6c67-4c5b-b112-36a304b66dad","uti":"fqiBqXLPj0eQa82S","ver":"2.0"}"#,
        user_id: "690222be-ff1a-4d56-abd1-7e4f7d38e474",
        claims: &[
            ("auth.session()->>'sub'", "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ"),
            ("auth.uid()::text", "690222be-ff1a-4d56-abd1-7e4f7d38e474"),
        ],
        ..PLAIN
    },
    // EdDSA, a key with neither `use` nor `alg`, the base URL as issuer and audience.
    Shape {
        name: "neon_auth",
        alg: "EdDSA",
        kid: "PdxXhn7dNHVGUgmgckoHmbcG9hsW",
        header: r#"{"alg":"EdDSA","kid":"$kid"}"#,
        key: r#""kid":"$kid""#,
        issuer: "https://ep-quiet-lake.neonauth.us-east-1.aws.neon.tech",
        other_issuer: "https://ep-quiet-lake.neonauth.us-east-1.aws.neon.tech/neondb/auth",
        more: r#","audience":"https://ep-quiet-lake.neonauth.us-east-1.aws.neon.tech""#,
        aud: r#""https://ep-quiet-lake.neonauth.us-east-1.aws.neon.tech""#,
        other_aud: &[r#""https://ep-loud-lake.neonauth.us-east-1.aws.neon.tech""#],
        payload: r#"{"iat":$now,"name":"Älice","email":"alice@example.com","emailVerified":true,"image":null,
            "createdAt":"2026-01-02T03:04:05.678Z","role":"authenticated","banned":false,"id":"$user",
            "sub":"$user","exp":$exp,"iss":"$iss","aud":$aud,"banReason":null}"#,
        user_id: "mV3kqF0ZrQ8sXw1LtB7c",
        claims: &[("auth.role()", "authenticated"), ("auth.session()->>'name'", "Älice")],
        ..PLAIN
    },
    // The audience is the same in every project; `key_ops` and `ext` in the key.
    Shape {
        name: "supabase",
        alg: "ES256",
        kid: "2f8b0ae7-873d-4eb1-b3f9-2a2e3cb1756a",
        header: r#"{"alg":"ES256","kid":"$kid","typ":"JWT"}"#,
        key: r#""alg":"ES256","ext":true,"key_ops":["verify"],"kid":"$kid","use":"sig""#,
        issuer: "https://qwertyuiopasdfgh.supabase.co/auth/v1",
        other_issuer: "https://zxcvbnmzxcvbnmzx.supabase.co/auth/v1",
        more: r#","audience":"authenticated""#,
        aud: r#""authenticated""#,
        other_aud: &[r#""anon""#, r#"["Authenticated"]"#],
        payload: r#"{"iss":"$iss","sub":"$user","aud":$aud,"exp":$exp,"iat":$now,"email":"alice@example.com",
            "phone":"","app_metadata":{"provider":"email","providers":["email"]},"user_metadata":{},
            "role":"authenticated","aal":"aal1","amr":[{"method":"password","timestamp":$now}],
            "session_id":"0a1b2c3d-0000-4000-8000-000000000001","is_anonymous":false}"#,
        user_id: "11c8e0d2-3f4a-4b5c-9d6e-7f8091a2b3c4",
        claims: &[
            ("auth.uid()::text", "11c8e0d2-3f4a-4b5c-9d6e-7f8091a2b3c4"),
            ("auth.role()", "authenticated"),
            ("auth.email()", "alice@example.com"),
            ("auth.jwt()#>>'{app_metadata,provider}'", "email"),
        ],
        ..PLAIN
    },
    // One key set for the projects of all customers: only issuer and audience keep them apart. Ids of 128 characters.
    Shape {
        name: "firebase",
        kid: "838c06c62046c2d948affe137dd5310129f4d5d1",
        issuer: "https://securetoken.google.com/shop-1a2b3",
        other_issuer: "https://securetoken.google.com/shop-4c5d6",
        more: r#","audience":"shop-1a2b3""#,
        aud: r#""shop-1a2b3""#,
        other_aud: &[r#""shop-4c5d6""#],
        payload: r#"{"name":"Alice","iss":"$iss","aud":$aud,"auth_time":$now,"user_id":"$user","sub":"$user",
            "iat":$now,"exp":$exp,"email":"alice@example.com","email_verified":false,
            "firebase":{"identities":{"email":["alice@example.com"]},"sign_in_provider":"password"}}"#,
        user_id: "0123456789abcdefABCDEFghijklmnop0123456789abcdefABCDEFghijklmnop\
                  0123456789abcdefABCDEFghijklmnop0123456789abcdefABCDEFghijklmnop",
        claims: &[("auth.session()#>>'{firebase,sign_in_provider}'", "password")],
        ..PLAIN
    },
    // Keys for all customers again; the issuer is written with and without a scheme; the subject is digits.
    Shape {
        name: "google_id",
        kid: "7c0b6913fe13820a333399ace426e70535a9a0bf",
        issuer: "https://accounts.google.com",
        other_issuer: "accounts.google.com",
        more: r#","audience":"1029384756-shop.apps.googleusercontent.com""#,
        aud: r#""1029384756-shop.apps.googleusercontent.com""#,
        other_aud: &[r#""5647382910-other.apps.googleusercontent.com""#],
        payload: r#"{"iss":"$iss","azp":"1029384756-shop.apps.googleusercontent.com","aud":$aud,"sub":"$user",
            "hd":"example.com","email":"alice@example.com","email_verified":true,"at_hash":"HK6E_P6Dh8Y93mRN",
            "iat":$now,"exp":$exp}"#,
        user_id: "110169484474386276334",
        claims: &[("auth.email()", "alice@example.com")],
        ..PLAIN
    },
    // Every slash is escaped, also in the header; `=`, `+` and `/` in the key's name.
    Shape {
        name: "cognito",
        kid: "abcdEFGH1234+/=",
        header: r#"{"kid":"$kid","alg":"RS256"}"#,
        issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
        other_issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_GhIjKl456",
        more: r#","audience":"4a5b6c7d8e9f0a1b2c3d4e5f6a""#,
        aud: r#""4a5b6c7d8e9f0a1b2c3d4e5f6a""#,
        other_aud: &[r#""6f5e4d3c2b1a0f9e8d7c6b5a4f""#],
        payload: r#"{"sub":"$user","email_verified":true,"iss":"$iss","cognito:username":"alice",
            "origin_jti":"1d2e","aud":$aud,"event_id":"3f4a","token_use":"id","auth_time":$now,
            "picture":"https:\/\/example.com\/a.png","exp":$exp,"iat":$now,"jti":"5b6c","email":"alice@example.com"}"#,
        user_id: "a1b2c3d4-5e6f-4708-9a0b-1c2d3e4f5a6b",
        claims: &[
            (
                "auth.session()->>'iss'",
                "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
            ),
            ("auth.session()->>'picture'", "https://example.com/a.png"),
            ("auth.session()->>'cognito:username'", "alice"),
        ],
        escapes_slashes: true,
        ..PLAIN
    },
    // Spaces in the header; a key for RSA-OAEP beside the signing key, both with certificates.
    Shape {
        name: "keycloak",
        kid: "kf46eDlB",
        header: r#"{"alg":"RS256","typ" : "JWT","kid" : "$kid"}"#,
        key: r#""kid":"$kid","alg":"RS256","use":"sig","x5c":["$x5c"],"x5t":"$x5t1","x5t#S256":"$x5t256""#,
        encryption_key: r#""kid":"$kid","alg":"RSA-OAEP","use":"enc","x5c":["$x5c"],"x5t":"$x5t1","x5t#S256":"$x5t256""#,
        issuer: "https://id.example.com/realms/shop",
        other_issuer: "https://id.example.com/realms/master",
        more: r#","audience":["shop-api","account"]"#,
        aud: r#""account""#,
        other_aud: &[r#""realm-management""#, r#"["broker"]"#],
        payload: r#"{"exp":$exp,"iat":$now,"jti":"onrtac:2b7d","iss":"$iss","aud":$aud,"sub":"$user","typ":"Bearer",
            "azp":"web","sid":"9c8b","acr":"1","allowed-origins":["https://app.example.com"],
            "realm_access":{"roles":["offline_access","buyer"]},
            "resource_access":{"account":{"roles":["view-profile"]}},"scope":"openid","email_verified":true,
            "preferred_username":"alice","email":"alice@example.com"}"#,
        user_id: "f3a1d7c2-6b5e-4f80-9c1d-2e3f4a5b6c7d",
        claims: &[
            ("auth.session()#>>'{realm_access,roles,1}'", "buyer"),
            ("auth.email()", "alice@example.com"),
        ],
        ..PLAIN
    },
    // No `aud`; the issuer exists in a form with the client's id and in one without.
    Shape {
        name: "workos",
        kid: "sso_oidc_key_pair_01HY",
        header: r#"{"alg":"RS256","kid":"$kid"}"#,
        key: r#""alg":"RS256","use":"sig","kid":"$kid","x5c":["$x5c"],"x5t#S256":"$x5t256""#,
        issuer: "https://api.workos.com/user_management/client_01HYSHOP",
        other_issuer: "https://api.workos.com",
        payload: r#"{"iss":"$iss","sub":"$user","org_id":"org_01HYACME","role":"member",
            "permissions":["orders:read"],"entitlements":[],"sid":"session_01HY","jti":"01HYJTI",
            "exp":$exp,"iat":$now}"#,
        user_id: "user_01HYALICE",
        claims: &[
            ("auth.role()", "member"),
            ("auth.session()->>'org_id'", "org_01HYACME"),
            ("coalesce(auth.organization()::text, 'NULL')", "NULL"),
        ],
        ..PLAIN
    },
    // The issuer is the bare project id, which is the audience too.
    Shape {
        name: "descope",
        kid: "SK2abcPROJ",
        issuer: "P2abcPROJ",
        other_issuer: "https://api.descope.com/P2abcPROJ",
        more: r#","audience":"P2abcPROJ""#,
        aud: r#"["P2abcPROJ"]"#,
        other_aud: &[r#"["P2xyzPROJ"]"#],
        payload: r#"{"amr":["email"],"aud":$aud,"drn":"DS","exp":$exp,"iat":$now,"iss":"$iss",
            "rexp":"2026-12-31T23:59:59Z","sub":"$user","dct":"T2acme",
            "tenants":{"T2acme":{"permissions":[],"roles":["Tenant Admin"]}}}"#,
        user_id: "U2abcALICE",
        claims: &[("auth.session()#>>'{tenants,T2acme,roles,0}'", "Tenant Admin")],
        ..PLAIN
    },
    // The subject is what the user logs in with; the stable id is `uid`. `scp` is a list.
    Shape {
        name: "okta",
        kid: "mB9-QkT0sSgXJdXbY3o",
        header: r#"{"kid":"$kid","alg":"RS256"}"#,
        issuer: "https://dev-12.okta.com/oauth2/default",
        other_issuer: "https://dev-12.okta.com",
        more: r#","audience":"api://default","user_id_claim":"uid""#,
        aud: r#""api://default""#,
        other_aud: &[r#""https://dev-12.okta.com""#],
        payload: r#"{"ver":1,"jti":"AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMUHh","iss":"$iss","aud":$aud,"iat":$now,
            "exp":$exp,"cid":"0oa1shop","uid":"$user","scp":["openid","profile"],"auth_time":$now,
            "sub":"alice@example.com"}"#,
        user_id: "00u1alice",
        claims: &[
            ("auth.session()->>'sub'", "alice@example.com"),
            ("auth.session()#>>'{scp,1}'", "profile"),
        ],
        ..PLAIN
    },
];
