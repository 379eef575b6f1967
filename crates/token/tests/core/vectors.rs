//! Public test vectors (Project Wycheproof, the RFCs, other libraries' tests), verified at the signature layer.
//!
//! They are not part of this repository. Their directory is named by `PG_SESSION_JWT_VECTORS`, or is `shared/vectors`
//! beside the checkout. A test cannot report at run time that it was skipped, so these are marked `ignored`. They are run by
//! `cargo test --test core -- --include-ignored`, where a missing directory is a failure.

use std::path::PathBuf;

use pg_session_jwt_token::NumericDate;
use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::compact::Compact;
use pg_session_jwt_token::key_problem::Member;
use pg_session_jwt_token::{Error, KeyProblem, KeySet, Part, Validity, verify};
use serde_json::Value;

use crate::sign::validity;

/// A file of the vectors.
pub fn read(name: &str) -> String {
    let beside = || testkit::root().join("../shared/vectors");
    let directory = std::env::var_os("PG_SESSION_JWT_VECTORS").map_or_else(beside, PathBuf::from);
    assert!(
        directory.is_dir(),
        "skipped: no public vectors in PG_SESSION_JWT_VECTORS or ../shared/vectors"
    );
    std::fs::read_to_string(directory.join(name)).unwrap()
}

struct Case {
    id: String,
    class: String,
    accept: bool,
    payload_is_json: bool,
    jwks: String,
    token: String,
}

fn cases(file: &str) -> Vec<Case> {
    let case = |line: &str| {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| case[name].as_str().unwrap().to_owned();
        let jwks = case
            .get("jwks")
            .map_or_else(|| format!(r#"{{"keys":[{}]}}"#, case["jwk"]), Value::to_string);
        Case {
            id: text("id"),
            class: text("class"),
            accept: match text("expect").as_str() {
                "accept" => true,
                "reject" => false,
                other => panic!("{other}"),
            },
            payload_is_json: case["payload_json"].as_bool().unwrap(),
            jwks,
            token: text("token"),
        }
    };
    read(file).lines().map(case).collect()
}

/// One key that cannot be used.
fn no_key(problem: KeyProblem) -> Error {
    let member = Member {
        kid: None,
        kty: None,
        alg: None,
        algorithms: Vec::new(),
        problem: Some(problem),
    };
    Error::NoUsableKey { members: vec![member] }
}

/// The error with the problem of its one key, whatever the key is called.
fn without_names(error: Error) -> Error {
    match error {
        Error::NoUsableKey { members } if members.len() == 1 => no_key(members[0].problem.clone().unwrap()),
        other => other,
    }
}

/// The outcome of the signature layer: form, header, key, signature, and the payload as bytes.
fn outcome(case: &Case) -> Result<(), Error> {
    let keys = KeySet::from_jwks(&case.jwks).map_err(without_names)?;
    let token = Compact::parse(case.token.as_bytes())?;
    let header = token.header()?;
    let key = keys.select(header.kid.as_deref(), header.algorithm)?;
    key.verify(&token, header.algorithm)?;
    // RFC 7515 §5.2 step 6: a payload that is no base64url has no signature. Any bytes may be in it here, though.
    match token.payload() {
        Err(error @ Error::NotBase64Url { .. }) => Err(error),
        _ => Ok(()),
    }
}

/// Fails unless every `must` case of a file (so many to accept, so many to reject) gets its outcome.
fn agree(file: &str, accept: usize, reject: usize) {
    let (mut accepted, mut rejected) = (0, 0);
    for case in cases(file).into_iter().filter(|case| case.class == "must") {
        let case = &case;
        assert_eq!(outcome(case).is_ok(), case.accept, "{}: {:?}", case.id, outcome(case));
        let count = if case.accept { &mut accepted } else { &mut rejected };
        *count += 1;
        claims_follow_the_signature(case);
    }
    println!("{file}: {accepted} accepted, {rejected} rejected");
    assert_eq!((accepted, rejected), (accept, reject), "{file}");
}

/// The whole verifier accepts the same tokens as the signature layer, except a payload that is not a JSON object.
fn claims_follow_the_signature(case: &Case) {
    let Ok(keys) = KeySet::from_jwks(&case.jwks) else {
        return;
    };
    // Long before any of the dates in these tokens.
    let validity = Validity {
        now: NumericDate::from_micros(0),
        ..validity()
    };
    let verified = verify(case.token.as_bytes(), &keys, &validity);
    if case.accept && !case.payload_is_json {
        assert!(
            matches!(
                verified,
                Err(Error::NotJson {
                    part: Part::Payload,
                    ..
                })
            ),
            "{}: {verified:?}",
            case.id
        );
    } else {
        assert_eq!(verified.is_ok(), case.accept, "{}: {verified:?}", case.id);
    }
}

#[test]
#[ignore = "reads the directory of public vectors"]
fn wycheproof_signatures_get_their_outcomes() {
    agree("wycheproof/jws_cases.jsonl", 40, 353);
}

#[test]
#[ignore = "reads the directory of public vectors"]
fn wycheproof_keys_get_their_outcomes() {
    agree("wycheproof/jwk_cases.jsonl", 5, 16);
}

#[test]
#[ignore = "reads the directory of public vectors"]
fn wycheproof_signatures_of_the_crypto_file_get_their_outcomes() {
    agree("wycheproof/jwc_jws_cases.jsonl", 4, 43);
}

#[test]
#[ignore = "reads the directory of public vectors"]
fn wycheproof_encrypted_tokens_are_rejected() {
    agree("wycheproof/jwe_as_jws_reject.jsonl", 0, 173);
}

#[test]
#[ignore = "reads the directory of public vectors"]
fn the_examples_of_rfc_7515_get_their_outcomes() {
    agree("rfc/rfc7515_cases.jsonl", 4, 8);
}

#[test]
#[ignore = "reads the directory of public vectors"]
fn the_examples_of_the_other_rfcs_get_their_outcomes() {
    agree("rfc/cases.jsonl", 5, 27);
}

#[test]
#[ignore = "reads the directory of public vectors"]
fn other_libraries_tests_get_their_outcomes() {
    agree("libs/cases.jsonl", 3, 139);
}

#[test]
#[ignore = "reads the directory of public vectors"]
fn where_a_source_is_wrong_the_rfc_is_followed() {
    let bugs: Vec<Case> = all_of("source-bug").collect();
    for case in &bugs {
        assert_eq!(outcome(case).is_ok(), case.accept, "{}", case.id);
    }
    let ids: Vec<&str> = bugs.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["wp-jws-367", "wp-jws-370", "wp-jws-372", "wp-jws-373"]);
}

/// Cases in which correct verifiers may differ: the reasons for the outcomes here.
fn decisions() -> [(&'static str, Result<(), Error>, &'static [&'static str]); 7] {
    let mismatch = Err(Error::AlgorithmMismatch { alg: Algorithm::PS384 });
    let short = &["pyjwt-unicode", "pyjwt-kid-int", "keats-hs-valid"];
    [
        (
            "a secret of six bytes is shorter than any hash",
            Err(no_key(KeyProblem::SecretTooShort)),
            short,
        ),
        (
            "no modulus is searched for the ROCA form",
            Ok(()),
            &["wp-jwk-7", "wp-jwc-46"],
        ),
        (
            "every key has its own algorithms, so kinds may be mixed",
            Ok(()),
            &["wp-jwk-1", "wp-jwc-47"],
        ),
        (
            "one of the two keys with that kid is not canonical base64url, and skipped",
            Ok(()),
            &["wp-jwk-4"],
        ),
        (
            "ES521 and ES224 are no algorithms of a P-256 key",
            Err(no_key(KeyProblem::Algorithm)),
            &["wp-jwk-19", "wp-jwk-20"],
        ),
        ("the key is for PS256 only", mismatch, &["wp-jws-346", "wp-jws-350"]),
        (
            "ES521 is no algorithm of a P-521 key either",
            Err(no_key(KeyProblem::Algorithm)),
            &["wp-jws-347", "wp-jws-351"],
        ),
    ]
}

#[test]
#[ignore = "reads the directory of public vectors"]
fn where_verifiers_may_differ_the_outcome_is_a_decision() {
    let mut decided = 0;
    for (why, expected, ids) in decisions() {
        for case in all_of("policy").filter(|case| ids.contains(&case.id.as_str())) {
            assert_eq!(outcome(&case), expected, "{}: {why}", case.id);
            println!("{}: {expected:?}, as {why}", case.id);
            decided += 1;
        }
    }
    assert_eq!((decided, all_of("policy").count()), (14, 14));
}

fn all_of(class: &'static str) -> impl Iterator<Item = Case> {
    let cases = FILES.into_iter().flat_map(cases);
    cases.filter(move |case| case.class == class)
}

const FILES: [&str; 7] = [
    "wycheproof/jws_cases.jsonl",
    "wycheproof/jwk_cases.jsonl",
    "wycheproof/jwc_jws_cases.jsonl",
    "wycheproof/jwe_as_jws_reject.jsonl",
    "rfc/rfc7515_cases.jsonl",
    "rfc/cases.jsonl",
    "libs/cases.jsonl",
];
