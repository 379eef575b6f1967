//! Keys of every type in the startup packet: usable ones, and unusable ones that report their fault.

use postgres::Client;

use testkit::messages;
use testkit::server::SHARED;
use testkit::session::{init, one, rejection, rejects_token, run, user_id};
use testkit::signer::{ED25519, P256, P384, P521, RSA, Signer, part};

/// A session with this key; the packet's options are split at spaces without a backslash.
fn with_key(database: &str, jwk: &str) -> Client {
    let escaped = jwk.replace('\\', "\\\\").replace(' ', "\\ ");
    SHARED.connect(database, "postgres", &format!("-c pg_session_jwt.jwk={escaped}"))
}

fn token(signer: &Signer, alg: &str, jti: i64) -> String {
    signer.token(alg, format!(r#"{{"jti":{jti},"sub":"{alg}"}}"#))
}

#[test]
fn the_kind_of_the_key_decides_the_algorithm() {
    let database = SHARED.database();
    let kinds: [(&Signer, &[&str]); 5] = [
        (&ED25519, &["EdDSA"]),
        (&P256, &["ES256"]),
        (&P384, &["ES384"]),
        (&P521, &["ES512"]),
        (&RSA, &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
    ];
    for (signer, algorithms) in kinds {
        let mut client = with_key(&database, &signer.jwk(""));
        for (jti, alg) in (1..).zip(algorithms) {
            init(&mut client, &token(signer, alg, jti));
            assert_eq!(user_id(&mut client).as_deref(), Some(*alg));
        }
        for (other, _) in kinds.iter().filter(|(other, _)| !std::ptr::eq(*other, signer)) {
            let alg = kinds.iter().find(|(kind, _)| std::ptr::eq(*kind, *other)).unwrap().1[0];
            rejects_token(
                &mut client,
                &token(other, alg, 100),
                "28000",
                messages::ALGORITHM_MISMATCH,
            );
        }
        // The public key, which is no secret, as an HMAC secret.
        for secret in [signer.jwk(""), part(signer.jwk(""))] {
            let forged = token(&Signer::Hmac(secret.into_bytes()), "HS256", 100);
            rejects_token(&mut client, &forged, "28000", messages::ALGORITHM_MISMATCH);
        }
    }
}

#[test]
fn members_of_the_key_narrow_what_it_verifies() {
    let database = SHARED.database();
    let mut client = with_key(&database, &RSA.jwk(r#""alg":"PS256", "use":"sig", "kid":"key 1""#));
    init(&mut client, &token(&RSA, "PS256", 1));
    rejects_token(
        &mut client,
        &token(&RSA, "RS256", 2),
        "28000",
        messages::ALGORITHM_MISMATCH,
    );
    let named =
        |kid: &str| RSA.token_with_header("PS256", format!(r#"{{"alg":"PS256","kid":"{kid}"}}"#), r#"{"jti":2}"#);
    rejects_token(&mut client, &named("key 2"), "28000", messages::NO_KEY_OF_TOKEN);
    init(&mut client, &named("key 1"));
    assert_eq!(one::<String>(&mut client, "select kid from auth.status()"), "key 1");
}

#[test]
fn unusable_key_reports_its_fault() {
    // The message names the algorithms that are possible, and a private member is a fault.
    let database = SHARED.database();
    let x = part([7; 32]);
    let private = "it has the private member \"d\"; provide the public key only";
    let okp = |members: &str| format!(r#"{{"kty":"OKP","crv":"Ed25519"{members}}}"#);
    for (jwk, problem) in [
        (ED25519.jwk(&format!(r#""d":"{x}""#)), private),
        (RSA.jwk(r#""d":"AQAB""#), private),
        (P256.jwk(r#""d":"""#), private),
        (
            Signer::hmac(64).jwk(""),
            "it is a symmetric key; anyone who can read it can sign",
        ),
        (
            r#"{"kty":"oct"}"#.to_owned(),
            "it is a symmetric key; anyone who can read it can sign",
        ),
        (okp(""), "it has no \"x\""),
        (okp(r#","x":7"#), "its \"x\" is not a string"),
        (okp(r#","x":"AAAA""#), "its \"x\" must have 32 bytes"),
        (okp(&format!(r#","x":"{x} ""#)), "its \"x\" is not base64url"),
        (
            okp(&format!(r#","x":"{}""#, part([0; 32]))),
            "its Ed25519 point is weak",
        ),
        (ED25519.jwk(r#""use":"enc""#), "its \"use\" is not \"sig\""),
        (
            ED25519.jwk(r#""alg":"ES256""#),
            "its \"alg\" is not supported, or does not match the key type",
        ),
        (
            ED25519.jwk(r#""alg":"none""#),
            "its \"alg\" is not supported, or does not match the key type",
        ),
        (
            ED25519.jwk("").replace("Ed25519", "X25519"),
            "its \"crv\" is not supported",
        ),
        (ED25519.jwk("").replace("OKP", "EC"), "its \"crv\" is not supported"),
        (ED25519.jwk("").replace("OKP", "okp"), "its \"kty\" is not supported"),
        ("{}".to_owned(), "it has no \"kty\""),
    ] {
        let mut client = with_key(&database, &jwk);
        let rejected = rejection(&mut client, "select auth.init()");
        let message = messages::unusable("jwk", messages::KEY_NOT_USABLE);
        assert_eq!(
            (rejected.sqlstate.as_str(), rejected.message.as_str()),
            ("22023", message.as_str()),
            "{jwk}"
        );
        assert_eq!(
            rejected.detail,
            Some(format!("The key was rejected: {problem}.")),
            "{jwk}"
        );
        assert_eq!(rejection(&mut client, "select auth.user_id()"), rejected, "{jwk}");
        run(&mut client, "select from auth.status() where mode = 'unusable'");
    }
    for text in [
        "x",
        "[]",
        "null",
        r#"{"keys":[]"#,
        r#"{"kty":"OKP","kty":"OKP"}"#,
        "{\u{1}}",
    ] {
        let mut client = with_key(&database, text);
        let rejected = rejection(&mut client, "select auth.init()");
        let message = messages::unusable("jwk", messages::NOT_A_KEY);
        assert_eq!(
            (rejected.sqlstate.as_str(), rejected.message.as_str()),
            ("22023", message.as_str()),
            "{text}"
        );
    }
}

/// attack: 44
#[test]
fn private_key_given_by_mistake_is_not_shown() {
    let secret = part([9; 32]);
    let mut client = with_key(&SHARED.database(), &ED25519.jwk(&format!(r#""d":"{secret}""#)));
    let rejected = rejection(&mut client, "select auth.init()");
    assert!(!format!("{rejected:?}").contains(&secret), "{rejected:?}");
    let reason: String = one(&mut client, "select reason from auth.status()");
    assert!(
        reason.contains("private member") && !reason.contains(&secret),
        "{reason}"
    );
    assert!(!SHARED.log().contains(&secret));
}
