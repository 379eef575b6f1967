//! Tokens and key sets as identity providers really make them: accepted, and nothing else under their name.
//!
//! The shapes are theirs, the keys are made here. Each provider is configured as its users would: by ALTER DATABASE,
//! with its issuer, its audience where it has one, and its key set.

pub mod shape;
pub mod table;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postgres::Client;
use serde_json::Value;

use shape::{ENCRYPTION_KID, Says, Shape, new_key};
use table::SHAPES;
use testkit::messages;
use testkit::provider::database;
use testkit::server::SHARED;
use testkit::session::{init, one, rejects_token, run, user_id};
use testkit::signer::{ED25519, P256, RSA, Signer};

macro_rules! one_test_for_each {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            verify_shape(stringify!($name));
        })*

        #[test]
        fn every_row_has_its_test() {
            assert_eq!(SHAPES.map(|shape| shape.name), [$(stringify!($name)),*]);
        }
    };
}

one_test_for_each!(
    clerk,
    auth0,
    stack_auth,
    stytch,
    azure_ad_b2c,
    entra,
    neon_auth,
    supabase,
    firebase,
    google_id,
    cognito,
    keycloak,
    workos,
    descope,
    okta
);

fn verify_shape(name: &str) {
    let place = SHAPES.iter().position(|shape| shape.name == name).unwrap();
    let (shape, other) = (&SHAPES[place], &SHAPES[(place + 1) % SHAPES.len()]);
    let signer = new_key(shape.alg);
    let entry = shape.entry(&signer);
    let mut client = SHARED.connect(&database(std::slice::from_ref(&entry)), "postgres", "");

    init(&mut client, &shape.token(&signer, shape.user_id));
    is_user_of(&mut client, shape);
    for (expression, text) in shape.claims {
        assert_eq!(
            one::<String>(&mut client, &format!("select {expression}")),
            *text,
            "{expression}"
        );
    }
    for (token, message) in forgeries(shape, &signer) {
        rejects_token(&mut client, &token, "28000", message);
    }
    rejects_token(
        &mut client,
        &other.token(stranger(other), "mallory"),
        "28000",
        messages::UNKNOWN_ISSUER,
    );
    is_user_of(&mut client, shape);

    // Beside another provider, whose key is then trusted, but not for this one.
    let both = format!(
        "set pg_session_jwt.providers = '[{},{entry}]'",
        other.entry(stranger(other))
    );
    run(&mut client, &both);
    is_user_of(&mut client, shape);
    let says = shape.payload(shape.says("mallory"));
    let signed_by_other = stranger(other).token_with_header(other.alg, shape.header(shape.kid), says);
    rejects_token(&mut client, &signed_by_other, "28000", messages::INVALID_SIGNATURE);
    let in_its_name = Says {
        iss: other.issuer,
        ..shape.says("mallory")
    };
    let in_its_name = signer.token_with_header(shape.alg, shape.header(shape.kid), shape.payload(in_its_name));
    rejects_token(&mut client, &in_its_name, "28000", messages::NO_KEY_OF_TOKEN);
    init(&mut client, &other.token(stranger(other), other.user_id));
    is_user_of(&mut client, other);
}

#[track_caller]
fn is_user_of(client: &mut Client, shape: &Shape) {
    assert_eq!(user_id(client).as_deref(), Some(shape.user_id));
    let status = "select concat_ws(' ', mode, identity, issuer, kid, user_id, reason) from auth.status()";
    let Shape {
        issuer, kid, user_id, ..
    } = shape;
    assert_eq!(
        one::<String>(client, status),
        format!("provider t {issuer} {kid} {user_id}")
    );
}

/// Another key of the kind that this provider has.
fn stranger(shape: &Shape) -> &'static Signer {
    match shape.alg {
        "RS256" => &RSA,
        "ES256" => &P256,
        _ => &ED25519,
    }
}

/// Tokens that are not quite the provider's, and why they are rejected.
fn forgeries(shape: &Shape, signer: &Signer) -> Vec<(String, &'static str)> {
    let good = shape.says("mallory");
    let signed = |signer: &Signer, kid: &str, says: Says<'_>| {
        signer.token_with_header(shape.alg, shape.header(kid), shape.payload(says))
    };
    let own = |says: Says<'_>| signed(signer, shape.kid, says);
    let mut forgeries = vec![
        (
            own(Says {
                iss: shape.other_issuer,
                ..good
            }),
            messages::UNKNOWN_ISSUER,
        ),
        (own(Says { iss: "", ..good }), messages::UNKNOWN_ISSUER),
        (signed(stranger(shape), shape.kid, good), messages::INVALID_SIGNATURE),
        (signed(shape.encryption(), shape.kid, good), messages::INVALID_SIGNATURE),
        (
            signed(shape.encryption(), ENCRYPTION_KID, good),
            messages::NO_KEY_OF_TOKEN,
        ),
        (signed(signer, "unknown", good), messages::NO_KEY_OF_TOKEN),
        (signed(signer, &shape.kid[1..], good), messages::NO_KEY_OF_TOKEN),
    ];
    if !shape.aud.is_empty() {
        forgeries.push((own(Says { aud: "", ..good }), messages::OTHER_AUDIENCE));
    }
    for aud in shape.other_aud {
        forgeries.push((own(Says { aud, ..good }), messages::OTHER_AUDIENCE));
    }
    // The public parts of the key, as the secret of an HMAC.
    let header = shape.header(shape.kid).replace(shape.alg, "HS256");
    let jwk = signer.jwk(&shape.key.replace("$kid", shape.kid));
    for secret in [jwk.into_bytes(), public_number(signer)] {
        let forged = Signer::Hmac(secret).token_with_header("HS256", &header, shape.payload(good));
        forgeries.push((forged, messages::ALGORITHM_MISMATCH));
    }
    forgeries
}

/// The modulus, or the coordinate x.
fn public_number(signer: &Signer) -> Vec<u8> {
    let jwk: Value = serde_json::from_str(&signer.jwk("")).unwrap();
    let number = jwk.get("n").or(jwk.get("x")).unwrap().as_str().unwrap();
    URL_SAFE_NO_PAD.decode(number).unwrap()
}
