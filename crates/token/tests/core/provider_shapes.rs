//! The key sets of real providers, by their shapes: what can be used is used, the rest is skipped for the right reason.

use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::algorithm::Algorithm::{
    ES256, ES384, ES512, EdDSA, HS256, PS256, PS384, PS512, RS256, RS384, RS512,
};
use pg_session_jwt_token::compact::Compact;
use pg_session_jwt_token::{Error, KeyProblem, KeySet};
use serde_json::Value;

use crate::vectors::read;

/// A provider, its usable keys by kid with their algorithms, and the indexes of the others.
type Shape = (
    &'static str,
    &'static [(&'static str, &'static [Algorithm])],
    &'static [(usize, KeyProblem)],
);

const RSA_ANY: &[Algorithm] = &[RS256, RS384, RS512, PS256, PS384, PS512];

const SHAPES: [Shape; 15] = [
    (
        "auth0",
        &[("tMQzailSAdaW4nojXxES9", &[RS256]), ("NKxtg1GbhZJBVcnBjtSqI", &[RS256])],
        &[],
    ),
    ("azure-ad", &[("9GmnyFPkhc3hOuR22mvSvgnLo7Y", RSA_ANY)], &[]),
    (
        "google-firebase",
        &[
            ("838c06c62046c2d948affe137dd5310129f4d5d1", &[RS256]),
            ("7c0b6913fe13820a333399ace426e70535a9a0bf", &[RS256]),
        ],
        &[],
    ),
    ("cognito", &[("abcdEFGH1234+/=", &[RS256]), ("second=", &[RS256])], &[]),
    ("keycloak", &[("kf46eDlB", &[RS256])], &[(0, KeyProblem::Use)]),
    ("supabase", &[("2f8b0ae7-873d-4eb1-b3f9-2a2e3cb1756a", &[ES256])], &[]),
    ("clerk", &[("ins_2abcDEF", &[RS256])], &[]),
    (
        "better-auth-neon-auth",
        &[("PdxXhn7dNHVGUgmgckoHmbcG9hsW", &[EdDSA])],
        &[],
    ),
    ("better-auth-alg", &[("nA1", &[EdDSA])], &[]),
    ("stack-auth-es256", &[("r0zs3I9r", &[ES256])], &[]),
    ("workos", &[("sso_oidc_key_pair_01", &[RS256])], &[]),
    ("stytch", &[("jwk-test-1", &[RS256])], &[]),
    ("smart-rs384-ops", &[("eee9", &[RS384])], &[]),
    (
        "fapi-ps256",
        &[("ZR+iPrkP5j2j9sFIYfjr6RBNAxA=", &[PS256])],
        &[(1, KeyProblem::Use)],
    ),
    (
        "mixed-future",
        &[("e384", &[ES384]), ("e521", &[ES512]), ("fully-specified", &[EdDSA])],
        &[(2, KeyProblem::KeyType), (3, KeyProblem::Use), (4, KeyProblem::Curve)],
    ),
];

#[test]
#[ignore = "reads the directory of public vectors"]
fn the_key_set_of_every_provider_loads() {
    let shapes: Value = serde_json::from_str(&read("providers/shapes.json")).unwrap();
    assert_eq!(shapes.as_object().unwrap().len(), SHAPES.len());
    for (provider, usable, skipped) in SHAPES {
        let keys = KeySet::from_jwks(&shapes[provider].to_string()).unwrap();
        assert_eq!(keys.skipped(), skipped, "{provider}");
        let members = shapes[provider]["keys"].as_array().unwrap().len();
        assert_eq!(usable.len() + skipped.len(), members, "{provider}");
        for (kid, algorithms) in usable {
            let key = keys.select(Some(kid), algorithms[0]).unwrap();
            assert_eq!(key.kid.as_deref(), Some(*kid));
            for alg in [
                RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256,
            ] {
                let outcome = key.verify(&Compact::parse(b"e30.e30.AAAA").unwrap(), alg);
                let expected = if algorithms.contains(&alg) {
                    Error::Signature
                } else {
                    Error::AlgorithmMismatch { alg }
                };
                assert_eq!(outcome, Err(expected), "{provider} {kid} {alg:?}");
            }
        }
    }
}
