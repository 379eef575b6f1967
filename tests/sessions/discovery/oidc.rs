//! A real OpenID provider whose issuer alone is set.

use testkit::messages;
use testkit::session::{init, now, one, rejects, user_id};
use testkit::signer::Signer;

use crate::support::jwks_faults::presenting;
use crate::support::jwks_url::server_with;
use crate::support::oidc::{ALGORITHMS, Peer};

fn issuer_with(peer: &Peer, more: &str) -> String {
    format!(r#"{{"issuer":"{}"{more}}}"#, peer.issuer)
}

#[test]
fn tokens_of_a_discovered_provider_are_accepted_across_a_rotation() {
    let mut peer = Peer::start();
    let server = server_with(&[issuer_with(&peer, "")], "");
    let mut client = server.connect("template1", "postgres", "");
    let mut before = Vec::new();
    for alg in ALGORITHMS {
        let [token, _] = peer.tokens(alg, "alice");
        init(&mut client, &token);
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"), "{alg}");
        before.push(token);
    }
    let shown = "select source || ' ' || location || ' ' || count(*) || ' ' || bool_and(usable)
                   from auth.providers() group by source, location";
    let expected = format!("discovery {} 4 true", peer.jwks_uri);
    assert_eq!(one::<String>(&mut client, shown), expected);
    peer.rotate();
    for alg in ALGORITHMS {
        let [token, _] = peer.tokens(alg, "bob");
        init(&mut client, &token);
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"), "{alg}");
    }
    for token in before {
        rejects(&mut client, &presenting(&token), "28000", messages::NO_KEY_OF_TOKEN);
    }
    assert_eq!(one::<String>(&mut client, shown), expected);
}

/// What the provider signs with the same keys, and an assertion of its client, is no login.
#[test]
fn other_tokens_of_a_discovered_provider_are_rejected() {
    let peer = Peer::start();
    let apis = ALGORITHMS.map(|alg| format!(r#""urn:api:{alg}""#)).join(",");
    let access_only = r#","token_types":"at+jwt""#.to_owned();
    for (rule, message, of_logout) in [
        (String::new(), messages::NOT_ACCESS_TOKEN, messages::NOT_ACCESS_TOKEN),
        (
            format!(r#","audience":[{apis}]"#),
            messages::OTHER_AUDIENCE,
            messages::OTHER_TYPE,
        ),
        (access_only, messages::OTHER_TYPE, messages::OTHER_TYPE),
    ] {
        let server = server_with(&[issuer_with(&peer, &rule)], "");
        let mut client = server.connect("template1", "postgres", "");
        for alg in ALGORITHMS {
            let signed = peer.login(alg, "alice");
            let token = |name: &str| signed[name].as_str().unwrap().to_owned();
            init(&mut client, &token("access_token"));
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
            let assertion = format!(
                r#"{{"iss":"app-{alg}","sub":"app-{alg}","aud":"{}","exp":{}}}"#,
                peer.issuer,
                now() + 60
            );
            for (rejected, message) in [
                (token("logout_token"), of_logout),
                (token("id_token"), message),
                (token("response"), message),
                (Signer::ed25519().token("EdDSA", assertion), messages::UNKNOWN_ISSUER),
            ] {
                rejects(&mut client, &presenting(&rejected), "28000", message);
            }
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        }
    }
}
