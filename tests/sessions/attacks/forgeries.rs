//! Tokens forged by others than the provider, or altered.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use testkit::messages;
use testkit::session::{run, ways_to_present};
use testkit::signer::{HMAC, P256, RSA, Signer};

use super::deployment::{ISSUER, payload, public_key, session_init, signed, token, token_with};
use super::ways::{ANONYMOUS, MALLORY, fails, in_every_way, short, who};

/// Presents a token in every way, to a session with an identity and to one without.
#[track_caller]
fn is_rejected(deployment: &super::deployment::Deployment, token: &str, sqlstate: &str, message: &str) {
    for who_is_there in [MALLORY, ANONYMOUS] {
        let mut client = deployment.anyone();
        run(&mut client, "reset pg_session_jwt.jwt");
        if who_is_there == MALLORY {
            run(&mut client, &session_init("mallory"));
        }
        for sql in ways_to_present(token) {
            let rejected = fails(&mut client, &sql, sqlstate);
            assert_eq!(rejected.message, message, "{}", short(&sql));
        }
        assert_eq!(who(&mut client), who_is_there);
    }
}

fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// attack: 1, 4, 9, 10, 11, 32
#[test]
fn token_not_signed_by_the_provider_is_rejected() {
    let alice = payload(r#""sub":"alice""#);
    let good = token("mallory");
    let signature = good.rsplit('.').next().unwrap();
    let swapped = |header: &str| format!("{}.{}.{signature}", part(header), part(&alice));
    let own = Signer::ed25519();
    let brought = format!(r#"{{"alg":"EdDSA","jwk":{},"kid":"k1"}}"#, own.jwk(""));
    let public = Signer::Hmac(public_key().into_bytes());
    let zeros = |bytes: usize| part(vec![0; bytes]);
    let unsigned = |header: &str, signature: &str| format!("{}.{}.{signature}", part(header), part(&alice));
    let forgeries = [
        (swapped(r#"{"alg":"EdDSA","kid":"k1"}"#), messages::INVALID_SIGNATURE),
        (
            own.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k1"}"#, &alice),
            messages::INVALID_SIGNATURE,
        ),
        (
            own.token_with_header("EdDSA", &brought, &alice),
            messages::INVALID_SIGNATURE,
        ),
        (swapped(r#"{"alg":"none"}"#), messages::ALGORITHM_NOT_SUPPORTED),
        (
            public.token_with_header("HS256", r#"{"alg":"HS256","kid":"k1"}"#, &alice),
            messages::ALGORITHM_MISMATCH,
        ),
        (
            HMAC.token_with_header("HS256", r#"{"alg":"HS256","kid":"k2"}"#, &alice),
            messages::ALGORITHM_MISMATCH,
        ),
        (
            RSA.token_with_header("RS256", r#"{"alg":"RS256","kid":"k4"}"#, &alice),
            messages::ALGORITHM_MISMATCH,
        ),
        // CVE-2022-21449: r = s = 0.
        (
            unsigned(r#"{"alg":"ES256","kid":"k3"}"#, &zeros(64)),
            messages::INVALID_SIGNATURE,
        ),
        (
            unsigned(r#"{"alg":"RS256","kid":"k2"}"#, &zeros(256)),
            messages::INVALID_SIGNATURE,
        ),
        (
            unsigned(r#"{"alg":"PS256","kid":"k2"}"#, &zeros(256)),
            messages::INVALID_SIGNATURE,
        ),
        (
            unsigned(r#"{"alg":"EdDSA","kid":"k1"}"#, &zeros(64)),
            messages::INVALID_SIGNATURE,
        ),
        (
            unsigned(r#"{"alg":"HS256","kid":"k4"}"#, &zeros(32)),
            messages::INVALID_SIGNATURE,
        ),
        (
            own.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"x' or kid = 'k1"}"#, &alice),
            messages::NO_KEY_OF_TOKEN,
        ),
        (
            own.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"../../k1"}"#, &alice),
            messages::NO_KEY_OF_TOKEN,
        ),
        (
            own.token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"k1 "}"#, &alice),
            messages::NO_KEY_OF_TOKEN,
        ),
    ];
    in_every_way(|deployment| {
        for (forgery, message) in &forgeries {
            is_rejected(deployment, forgery, "28000", message);
        }
        let empty = unsigned(r#"{"alg":"none"}"#, "");
        is_rejected(deployment, &empty, "28000", messages::ALGORITHM_NOT_SUPPORTED);
        let empty = unsigned(r#"{"alg":"EdDSA","kid":"k1"}"#, "");
        is_rejected(deployment, &empty, "28000", messages::INVALID_SIGNATURE);
    });
    for (signer, alg, kid) in [(&*RSA, "PS512", "k2"), (&*P256, "ES256", "k3"), (&*HMAC, "HS512", "k4")] {
        let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
        let deployment = super::deployment::Deployment::new(super::ways::Way::Login);
        let mut client = deployment.anyone();
        let good = signer.token_with_header(alg, header, payload(r#""sub":"mallory""#));
        run(&mut client, &format!("select auth.jwt_session_init('{good}')"));
        assert_eq!(who(&mut client), MALLORY, "the keys are keys: {alg}");
    }
}

/// attack: 13, 14, 15, 18, 21, 22, 27, 29, 53, 55
#[test]
fn signature_for_another_purpose_is_no_token() {
    let header = r#"{"alg":"EdDSA","kid":"k1"}"#;
    let inner = token("alice");
    let claims = payload(r#""sub":"alice""#);
    let with_header = |more: &str| signed(&format!(r#"{{"alg":"EdDSA","kid":"k1",{more}}}"#), &claims);
    let cases = [
        (
            with_header(r#""crit":["exp"]"#),
            "28000",
            messages::EXTENSION_NOT_SUPPORTED,
        ),
        (with_header(r#""crit":[]"#), "28000", messages::EXTENSION_NOT_SUPPORTED),
        (
            with_header(r#""b64":false"#),
            "28000",
            messages::EXTENSION_NOT_SUPPORTED,
        ),
        (signed(header, &inner), "22023", messages::PAYLOAD_NOT_JSON),
        (
            signed(header, &format!("\"{inner}\"")),
            "22023",
            messages::PAYLOAD_NOT_JSON,
        ),
        (
            signed(header, &format!("[{claims}]")),
            "22023",
            messages::PAYLOAD_NOT_JSON,
        ),
        (
            signed(header, &format!("{claims}{claims}")),
            "22023",
            messages::PAYLOAD_NOT_JSON,
        ),
        (
            signed(header, &format!(r#"{{"sub":"mallory",{}"#, &claims[1..])),
            "22023",
            messages::PAYLOAD_NOT_JSON,
        ),
        (
            token_with(r#""sub":"alice\u0000""#),
            "22023",
            messages::PAYLOAD_NOT_JSON,
        ),
        (
            token_with(r#""sub":"alice","x":"\ud834""#),
            "22023",
            messages::PAYLOAD_NOT_JSON,
        ),
        (
            signed(header, &claims.replace(ISSUER, "https://issuer.example")),
            "28000",
            messages::UNKNOWN_ISSUER,
        ),
        (
            signed(header, &claims.replace(r#""exp":"#, r#""exp":1,"x":"#)),
            "28000",
            messages::EXPIRED,
        ),
        (
            token_with(r#""sub":"alice","nbf":4000000000"#),
            "28000",
            messages::NOT_YET_VALID,
        ),
        (format!("{inner}."), "22023", messages::INVALID_ENCODING),
        (format!("Bearer {inner}"), "22023", messages::HEADER_NOT_BASE64URL),
        (format!("{inner}="), "22023", messages::SIGNATURE_NOT_BASE64URL),
        (format!("{inner}\n"), "22023", messages::SIGNATURE_NOT_BASE64URL),
    ];
    in_every_way(|deployment| {
        for (case, sqlstate, message) in &cases {
            is_rejected(deployment, case, sqlstate, message);
        }
    });
}
