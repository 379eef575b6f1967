//! Tokens forged by others than the provider, or altered.

use testkit::forgeries::Forgery;
use testkit::session::{run, ways_to_present};
use testkit::signer::{HMAC, P256, RSA};

use super::deployment::{Deployment, payload, session_init, victim};
use super::ways::{ANONYMOUS, MALLORY, Way, fails, in_every_way, short, who};

/// Presents tokens in every way, to a session with an identity and to one without.
fn are_rejected(deployment: &Deployment, forgeries: &[Forgery]) {
    for who_is_there in [MALLORY, ANONYMOUS] {
        let mut client = deployment.anyone();
        run(&mut client, "reset pg_session_jwt.jwt");
        if who_is_there == MALLORY {
            run(&mut client, &session_init("mallory"));
        }
        for forgery in forgeries {
            for sql in ways_to_present(&forgery.token) {
                let rejected = fails(&mut client, &sql, forgery.sqlstate);
                assert_eq!(rejected.message, forgery.message, "{}", short(&sql));
            }
        }
        assert_eq!(who(&mut client), who_is_there);
    }
}

/// attack: 1, 2, 3, 4, 5, 8, 9, 10, 11, 32, 33, 35, 39, 42
#[test]
fn token_not_signed_by_the_provider_is_rejected() {
    let forgeries = victim().not_signed();
    in_every_way(|deployment| are_rejected(deployment, &forgeries));
    let deployment = Deployment::new(Way::Login);
    for (signer, alg, kid) in [(&*RSA, "PS512", "k2"), (&*P256, "ES256", "k3"), (&*HMAC, "HS512", "k4")] {
        let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
        let mut client = deployment.anyone();
        let good = signer.token_with_header(alg, header, payload(r#""sub":"mallory""#));
        run(&mut client, &format!("select auth.jwt_session_init('{good}')"));
        assert_eq!(who(&mut client), MALLORY, "the keys are keys: {alg}");
    }
}

/// attack: 13, 14, 15, 17, 18, 19, 20, 21, 22, 27, 28, 29, 30, 53, 55, 153
#[test]
fn signature_for_another_purpose_is_no_token() {
    let forgeries = victim().no_tokens();
    in_every_way(|deployment| are_rejected(deployment, &forgeries));
}
