//! A real OpenID provider (the npm package oidc-provider, see tests/fixtures/oidc) whose key set the worker fetches.

use testkit::messages;
use testkit::session::{init, one, rejects, user_id};

use crate::support::jwks_url::server_with;
use crate::support::oidc::{ALGORITHMS, Peer};

#[test]
fn tokens_of_a_real_provider_are_accepted_across_a_rotation() {
    let mut peer = Peer::start();
    let entries = ALGORITHMS.map(|alg| peer.entry_with_url(alg));
    let server = server_with(&entries, "");
    let mut client = server.connect("template1", "postgres", "");
    let mut before = Vec::new();
    for alg in ALGORITHMS {
        for token in peer.tokens(alg, "alice") {
            init(&mut client, &token);
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{alg}");
            assert_eq!(
                one::<String>(&mut client, "select issuer from auth.status()"),
                peer.issuer
            );
            before.push(token);
        }
    }
    peer.rotate();
    for alg in ALGORITHMS {
        for token in peer.tokens(alg, "bob") {
            init(&mut client, &token);
            assert_eq!(user_id(&mut client).as_deref(), Some("bob"), "{alg}");
        }
    }
    for token in before {
        let retired = format!("select auth.jwt_session_init('{token}')");
        rejects(&mut client, &retired, "28000", messages::NO_KEY_OF_TOKEN);
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    }
    let kids = "select count(*)::text || ' ' || count(distinct kid) || ' ' || count(*) filter (where usable) from auth.providers()";
    assert_eq!(one::<String>(&mut client, kids), "16 4 4");
}

#[test]
fn two_restarts_within_two_seconds_lock_no_token_out() {
    let mut peer = Peer::start();
    let server = server_with(&[peer.entry_with_url("ES256")], "");
    let mut client = server.connect("template1", "postgres", "");
    for (restarts, user) in ["alice", "bob", "carol"].iter().enumerate() {
        if restarts > 0 {
            // As after a restart, it has other keys.
            peer.rotate();
        }
        let [access_token, _] = peer.tokens("ES256", user);
        init(&mut client, &access_token);
        assert_eq!(user_id(&mut client).as_deref(), Some(*user));
    }
}
