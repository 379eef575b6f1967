//! The costs of the verifier without PostgreSQL: verifying a token, beside the check of its signature alone, and reading
//! key sets.
//!
//! `cargo bench -p pg_session_jwt_token`; scripts/bench.sh runs it with the others.

use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use pg_session_jwt_token::NumericDate;
use pg_session_jwt_token::validity::TokenId;
use pg_session_jwt_token::{KeySet, Validity, provider, verify, verify_provider_token};
use testkit::issuer::{ALGORITHMS, BareCheck, CLAIMS, fresh, key_set, providers, signer};
use testkit::signer::Signer;

/// A validity by which every token of this benchmark is valid.
fn validity() -> Validity {
    Validity {
        now: NumericDate::from_micros(1_800_000_000_000_000),
        leeway: 60,
        jti: TokenId::Any,
    }
}

/// The public key in the form that aws-lc-rs expects.
fn public_key(signer: &Signer) -> Vec<u8> {
    match signer {
        Signer::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        Signer::Ecdsa { pair, .. } => pair.public_key().as_ref().to_vec(),
        Signer::Rsa(pair) => pair.public_key().as_ref().to_vec(),
        Signer::Hmac(_) => panic!("a secret has no public half"),
    }
}

/// Measures `check`, which must be true.
macro_rules! measure {
    ($group:expr, $name:expr, $alg:expr, $check:expr) => {
        $group.bench_function(BenchmarkId::new($name, $alg), |bencher| {
            assert!($check);
            bencher.iter(|| black_box($check));
        })
    };
}

fn tokens(criterion: &mut Criterion) {
    let (one_set, providers) = (
        KeySet::from_jwks(&key_set()).unwrap(),
        provider::parse(&providers()).unwrap(),
    );
    for bytes in CLAIMS {
        let mut group = criterion.benchmark_group(format!("token, claims of {bytes} bytes"));
        for alg in ALGORITHMS {
            let token = fresh(alg, bytes);
            let (message, signature) = token.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let bare = BareCheck::new(alg);
            let algorithm: &'static dyn aws_lc_rs::signature::VerificationAlgorithm = match alg {
                "EdDSA" => &ED25519,
                "ES256" => &ECDSA_P256_SHA256_FIXED,
                _ => &RSA_PKCS1_2048_8192_SHA256,
            };
            let key = public_key(signer(alg));
            let unparsed = UnparsedPublicKey::new(algorithm, &key);
            let parsed = match alg {
                "EdDSA" => ParsedPublicKey::new(&ED25519, &key),
                "ES256" => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key),
                _ => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key),
            }
            .unwrap();
            let message = message.as_bytes();
            measure!(group, "aws-lc-rs, key parsed before", alg, {
                parsed.verify_sig(black_box(message), &signature).is_ok()
            });
            measure!(group, "aws-lc-rs", alg, {
                unparsed.verify(black_box(message), &signature).is_ok()
            });
            measure!(group, "jsonwebtoken", alg, bare.verify(black_box(&token)));
            measure!(group, "one key set", alg, {
                verify(black_box(token.as_bytes()), &one_set, &validity()).is_ok()
            });
            measure!(group, "one provider", alg, {
                let keys = |_| Ok(&one_set);
                verify_provider_token(black_box(token.as_bytes()), &providers, keys, &validity()).is_ok()
            });
        }
    }
}

/// Rejecting a token early must cost almost nothing, because an attacker chooses what to send.
fn rejections(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rejected");
    let keys = KeySet::from_jwks(&key_set()).unwrap();
    let valid = fresh("EdDSA", 8192);
    let unknown_kid = signer("EdDSA").token_with_header("EdDSA", r#"{"alg":"EdDSA","kid":"other"}"#, "{}");
    let forged = valid.replacen(".ey", ".ez", 1);
    for (what, token) in [
        ("not a token", "x".repeat(11_000)),
        ("unknown kid", unknown_kid),
        ("forged", forged),
    ] {
        measure!(
            group,
            what,
            token.len(),
            verify(black_box(token.as_bytes()), &keys, &validity()).is_err()
        );
    }
}

fn key_sets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key set");
    for alg in ALGORITHMS {
        for keys in [1, 10, 100] {
            // One key under several names: keys with different names are not compared.
            let jwks: Vec<String> = (0..keys)
                .map(|n| signer(alg).jwk(&format!(r#""kid":"{n}","alg":"{alg}""#)))
                .collect();
            let text = format!(r#"{{"keys":[{}]}}"#, jwks.join(","));
            assert!(KeySet::from_jwks(&text).is_ok());
            measure!(group, alg, keys, KeySet::from_jwks(black_box(&text)).is_ok());
        }
    }
}

fn settings() -> Criterion {
    let quick = std::env::var_os("QUICK").is_some_and(|value| !value.is_empty());
    let (warm_up, measurement) = if quick { (50, 200) } else { (200, 600) };
    Criterion::default()
        .sample_size(if quick { 10 } else { 30 })
        .warm_up_time(Duration::from_millis(warm_up))
        .measurement_time(Duration::from_millis(measurement))
}

criterion_group!(name = benches; config = settings(); targets = tokens, rejections, key_sets);
criterion_main!(benches);
