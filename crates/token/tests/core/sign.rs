//! What the verifier says of the tokens that the signer makes.

use jsonwebtoken::Algorithm;
use pg_session_jwt_token::claims::NumericDate;
use pg_session_jwt_token::keys::Key;
use pg_session_jwt_token::policy::TokenId;
use pg_session_jwt_token::{Error, Identity, KeyProblem, KeySet, Part, Policy, verify};
pub use testkit::signer::{ED25519, HMAC, P256, P384, RSA, Signer, part};

/// The second at which every token is judged.
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

pub fn policy() -> Policy {
    Policy {
        now: seconds(NOW),
        leeway: 60,
        jti: TokenId::Any,
    }
}

/// The verdict at `NOW`.
pub fn judge(token: impl AsRef<[u8]>, keys: &KeySet) -> Result<Identity, Error> {
    verify(token.as_ref(), keys, &policy())
}

/// The verdict at `NOW` on a payload with a good signature.
pub fn judge_payload(payload: impl AsRef<[u8]>) -> Result<Identity, Error> {
    judge(ED25519.token("EdDSA", payload), &pinned(&ED25519))
}

/// What is wrong with a payload as JSON, in a token with a good signature.
pub fn payload_problem(payload: impl AsRef<[u8]>) -> String {
    match judge_payload(payload) {
        Err(Error::NotJson {
            part: Part::Payload,
            problem,
        }) => problem,
        other => panic!("{other:?}"),
    }
}
