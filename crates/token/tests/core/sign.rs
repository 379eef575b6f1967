//! Keys, policies and outcomes for the tokens that the signer makes.

use pg_session_jwt_token::NumericDate;
use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::validity::TokenId;
use pg_session_jwt_token::{Error, Identity, KeyProblem, KeySet, Part, Validity, verify};
pub use testkit::signer::{ED25519, HMAC, P256, P384, P521, RSA, Signer, part};

/// The second at which every token is verified.
pub const NOW: i64 = 1_800_000_000;

/// The algorithms that one RSA key can sign with.
pub const RSAS: [(&str, Algorithm); 6] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
];

/// The set of a signer's one public key, given by itself.
pub fn pinned(signer: &Signer) -> KeySet {
    KeySet::pinned(Key::from_public_jwk(&signer.jwk("")).unwrap())
}

/// The set of these JWKs.
pub fn set(jwks: &[String]) -> Result<KeySet, Error> {
    KeySet::from_jwks(&format!(r#"{{"keys":[{}]}}"#, jwks.join(",")))
}

/// Why no member of a set can be used, in their order.
#[track_caller]
pub fn problems(set: Result<KeySet, Error>) -> Vec<KeyProblem> {
    match set {
        Err(Error::NoUsableKey { members }) => members.into_iter().map(|member| member.problem.unwrap()).collect(),
        other => panic!("{other:?}"),
    }
}

pub fn seconds(seconds: i64) -> NumericDate {
    NumericDate::from_micros(seconds * 1_000_000)
}

pub fn validity() -> Validity {
    Validity {
        now: seconds(NOW),
        leeway: 60,
        jti: TokenId::Any,
    }
}

/// The outcome for a token at `NOW`.
pub fn verify_now(token: impl AsRef<[u8]>, keys: &KeySet) -> Result<Identity, Error> {
    verify(token.as_ref(), keys, &validity())
}

/// The outcome at `NOW` on a payload with a valid signature.
pub fn verify_payload(payload: impl AsRef<[u8]>) -> Result<Identity, Error> {
    verify_now(ED25519.token("EdDSA", payload), &pinned(&ED25519))
}

/// The error for JSON without the line and column, which the parser of the dependency adds.
pub fn without_position(error: Error) -> Error {
    let cut = |problem: String| match problem.split_once(" at line ") {
        Some((text, _)) => text.to_owned(),
        None => problem,
    };
    match error {
        Error::NotJson { part, problem } => Error::NotJson {
            part,
            problem: cut(problem),
        },
        Error::KeyNotJson { problem } => Error::KeyNotJson { problem: cut(problem) },
        other => other,
    }
}

/// Whether an error rejects this part as JSON, with a text of the dependency's parser.
pub fn is_not_json(error: Option<Error>, expected: Part) -> bool {
    matches!(error, Some(Error::NotJson { part, .. }) if part == expected)
}

/// What is wrong with a payload as JSON, in a token with a valid signature; without line and column.
#[track_caller]
pub fn payload_problem(payload: impl AsRef<[u8]>) -> String {
    match verify_payload(payload).map_err(without_position) {
        Err(Error::NotJson {
            part: Part::Payload,
            problem,
        }) => problem,
        other => panic!("{other:?}"),
    }
}
