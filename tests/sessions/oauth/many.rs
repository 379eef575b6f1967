//! Many concurrent logins with valid and invalid tokens: each has the correct result, and the server continues.

use std::thread;

use testkit::session::now;

use crate::support::oauth_server::{login, token, token_by, token_with, usual_server};

const CLIENTS: usize = 50;
/// With a preloaded library, and as many without.
const LOGINS_OF_EACH: usize = 10;

/// The token of a client's turn, and the resulting user.
fn case(client: usize, turn: usize) -> (String, Option<String>) {
    let user = format!("user-{client}-{turn}");
    let of = |alg| token_by(alg, &format!(r#""sub":"{user}","aud":"api","exp":{}"#, now() + 600));
    match (client * LOGINS_OF_EACH + turn) % 10 {
        0 => (of("ES256"), Some(user)),
        1 => (of("RS256"), Some(user)),
        2..5 => (of("EdDSA"), Some(user)),
        5 => (token_with(&format!(r#""sub":"{user}","aud":"web""#)), None),
        6 => {
            let ended = now() - 3600;
            (
                token_with(&format!(r#""sub":"{user}","aud":"api","exp":{ended}"#)),
                None,
            )
        }
        7 => {
            // The payload of one user with the signature of another.
            let (of_user, of_other) = (token(&user), token("other"));
            let signed = of_user.rsplit_once('.').unwrap().0;
            (format!("{signed}.{}", of_other.rsplit_once('.').unwrap().1), None)
        }
        8 => (token_with(r#""aud":"api""#), None),
        _ => (format!("garbage-{client}-{turn}"), None),
    }
}

#[test]
fn a_thousand_logins_have_the_correct_results() {
    for more in ["", "shared_preload_libraries = 'pg_session_jwt'"] {
        let Some(server) = usual_server(more) else { return };
        let outcomes = |client: usize| {
            let wrong = |turn: &usize| {
                let (token, expected) = case(client, *turn);
                let found = match login(&server, &token) {
                    Ok(mut session) => session.one("select auth.user_id()"),
                    Err(rejection) => {
                        assert_eq!(rejection.sqlstate, "28000", "{rejection:?}");
                        None
                    }
                };
                found != expected
            };
            (0..LOGINS_OF_EACH).filter(wrong).count()
        };
        let wrong: usize = thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| scope.spawn(move || outcomes(client)))
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).sum()
        });
        assert_eq!(wrong, 0);
        let log = server.log();
        let count = |text: &str| log.matches(text).count();
        assert_eq!(
            count("connection authenticated: identity=\"user-"),
            CLIENTS * LOGINS_OF_EACH / 2
        );
        assert_eq!(count("was rejected: "), CLIENTS * LOGINS_OF_EACH / 2);
        for trouble in [
            "terminated by signal",
            "PANIC",
            "OAuth validation failed",
            "internal error",
        ] {
            assert_eq!(count(trouble), 0, "{trouble}");
        }
    }
}
