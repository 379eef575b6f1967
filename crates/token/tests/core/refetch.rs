//! Which rejections ask for a fetch of key sets, and how often one is granted.

use pg_session_jwt_token::algorithm::Algorithm;
use pg_session_jwt_token::refetch::{RefetchLimit, Remedy, remedy};
use pg_session_jwt_token::{Error, Excerpt};
use rstest::rstest;

use crate::sign::{ED25519, HMAC};

const SECOND: i64 = 1_000_000;
const START: i64 = 1_700_000_000 * SECOND;

fn excerpt() -> Excerpt {
    Excerpt::new("x")
}

#[rstest]
#[case(Error::Signature)]
#[case(Error::UnknownKeyId { kid: excerpt() })]
#[case(Error::AmbiguousKey { candidates: 0 })]
#[case(Error::AmbiguousKey { candidates: 2 })]
#[case(Error::AlgorithmMismatch { alg: Algorithm::EdDSA })]
#[case(Error::NoKeys)]
fn keys_that_do_not_fit_are_fetched_again(#[case] rejection: Error) {
    let token = ED25519.token("EdDSA", "{}");
    assert_eq!(remedy(token.as_bytes(), &rejection), Remedy::Refetch);
    for alg in ["HS256", "HS384", "HS512"] {
        let symmetric = HMAC.token(alg, "{}");
        assert_eq!(remedy(symmetric.as_bytes(), &rejection), Remedy::None, "{alg}");
    }
}

#[rstest]
#[case(Error::Audience { aud: None })]
#[case(Error::TokenType { typ: None })]
#[case(Error::NotAccessToken { typ: None })]
#[case(Error::SecurityEvent)]
#[case(Error::ClaimRule { claim: excerpt(), is_absent: true })]
#[case(Error::AlgorithmExcluded { alg: Algorithm::EdDSA })]
#[case(Error::SenderConstrained)]
fn rules_of_one_provider_wait_for_another(#[case] rejection: Error) {
    let token = ED25519.token("EdDSA", "{}");
    assert_eq!(remedy(token.as_bytes(), &rejection), Remedy::FirstFetch);
}

#[rstest]
#[case(Error::UnknownAlgorithm { alg: Excerpt::new("none") })]
#[case(Error::UnknownIssuer { iss: None })]
#[case(Error::NotCompact { parts: 2 })]
#[case(Error::NoExpiry)]
#[case(Error::Critical { member: "crit" })]
fn other_rejections_fetch_nothing(#[case] rejection: Error) {
    let token = ED25519.token("EdDSA", "{}");
    assert_eq!(remedy(token.as_bytes(), &rejection), Remedy::None);
}

/// The fetches that are granted when tokens ask at all times, in tenths of a second after the start.
fn granted_in(limit: &mut RefetchLimit, from: i64, seconds: i64) -> Vec<i64> {
    let mut granted: Vec<i64> = (from * 10..(from + seconds) * 10)
        .filter_map(|tenth| limit.request(START + tenth * SECOND / 10).ok())
        .map(|due| (due - START) / SECOND)
        .collect();
    granted.dedup();
    granted
}

#[test]
fn the_first_is_due_at_once_and_the_pause_doubles_to_half_a_minute() {
    let mut limit = RefetchLimit::default();
    assert_eq!(limit.request(START), Ok(START));
    // The first two pauses are waited for.
    assert_eq!(limit.request(START), Ok(START + SECOND));
    assert_eq!(limit.request(START + SECOND), Ok(START + 3 * SECOND));
    for (last, pause) in [(3, 4), (7, 8), (15, 16), (31, 30), (61, 30), (91, 30)] {
        let (next, early) = (START + (last + pause) * SECOND, START + (last + pause) * SECOND - 1);
        assert_eq!(limit.request(START + last * SECOND), Err(next), "{last}");
        assert_eq!(limit.request(early), Err(next), "{last}");
        assert_eq!(limit.request(next), Ok(next), "{last}");
    }
}

#[test]
fn a_flood_costs_one_fetch_in_half_a_minute() {
    let mut limit = RefetchLimit::default();
    assert_eq!(granted_in(&mut limit, 0, 121), [0, 1, 3, 7, 15, 31, 61, 91]);
    let later = granted_in(&mut limit, 121, 3600);
    assert_eq!(later.len(), 120);
    assert!(later.windows(2).all(|pair| pair[1] - pair[0] >= 30));
}

/// Whatever the times at which tokens ask, no interval has more fetches than the limit says.
#[rstest]
fn bursts_after_rests_stay_within_the_limit(#[values(30, 31, 45, 60, 90, 200)] rest: i64) {
    let mut limit = RefetchLimit::default();
    let mut granted = Vec::new();
    for round in 0..20 {
        granted.extend(granted_in(&mut limit, round * (rest + 40), 40));
    }
    for (first, from) in granted.iter().enumerate() {
        for (last, to) in granted.iter().enumerate().skip(first) {
            let fetches = i64::try_from(last - first + 1).unwrap();
            assert!(
                fetches <= 6 + (to - from) / 30 + 1,
                "{rest}: {fetches} from {from} to {to}"
            );
        }
    }
}

#[test]
fn a_rest_restores_the_short_pauses() {
    let mut limit = RefetchLimit::default();
    granted_in(&mut limit, 0, 32);
    let later = START + (31 + 6 * 30) * SECOND;
    assert_eq!(limit.request(later), Ok(later));
    assert_eq!(limit.request(later), Ok(later + SECOND));
}

#[test]
fn a_clock_that_was_set_back_does_not_lock_out() {
    let mut limit = RefetchLimit::default();
    granted_in(&mut limit, 0, 32);
    let before = START - 3600 * SECOND;
    assert_eq!(limit.request(before), Ok(before));
    for extreme in [i64::MIN, i64::MAX, 0] {
        let mut limit = RefetchLimit::default();
        for now in [extreme, START, extreme, i64::MAX, i64::MIN] {
            let _ = limit.request(now);
        }
    }
}
