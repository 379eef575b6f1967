//! The server log: it contains no token, and no line that imitates the audit log.

use testkit::session::{Proxy, rejection, run, ways_to_present};

use super::deployment::{payload, session_init, signed};
use super::leaks::hides;
use super::ways::in_every_way;

/// attack: 97, 113
#[test]
fn log_has_neither_the_token_nor_a_forged_line() {
    in_every_way(|deployment| {
        let mark = format!("mark{}{:?}", deployment.database, deployment.way);
        let forged = format!(
            "{mark}\\n2026-01-01 LOG:  pg_session_jwt audit: {{\\u0022sub\\u0022:\\u0022alice\\u0022}}\\r\\u001b[2J\\u202e{mark}"
        );
        let header = format!(r#"{{"alg":"EdDSA","kid":"{forged}"}}"#);
        let odd = payload(&format!(r#""sub":"{forged}","aud":"{forged}""#));
        let tokens = [
            signed(r#"{"alg":"EdDSA","kid":"k1"}"#, &odd),
            signed(&header, &odd),
            Proxy::new().with_header(&header, &odd),
            signed(
                r#"{"alg":"EdDSA","kid":"k1"}"#,
                &odd.replace("https://issuer.example/", &forged),
            ),
            signed(&format!(r#"{{"alg":"{forged}"}}"#), &odd),
        ];
        let mut client = deployment.anyone();
        for token in &tokens {
            for sql in ways_to_present(token) {
                // Whether the token is accepted does not matter here.
                let _ = client.simple_query(&sql);
            }
        }
        let log = deployment.server.log();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(&mark)).collect();

        // One line for each token and way, whatever its sub, aud, kid and iss. An unknown alg is not in it.
        let audit = |line: &&&str| {
            line.split_once(' ')
                .unwrap()
                .1
                .starts_with("LOG:  pg_session_jwt audit: {")
        };
        assert_eq!(lines.iter().filter(audit).count(), 16);

        for line in lines {
            assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
            let (pid, rest) = line.split_once(' ').unwrap();
            assert!(pid.parse::<u32>().is_ok(), "{line:?}");
            assert!(
                ["LOG: ", "DETAIL: ", "ERROR: "]
                    .iter()
                    .any(|kind| rest.trim_start().starts_with(kind)),
                "{line:?}"
            );
        }
        for token in &tokens {
            hides(&log, token);
        }
    });
}

/// attack: 113, 143
#[test]
fn attackers_log_line_is_not_an_audit_line() {
    in_every_way(|deployment| {
        let mark = format!("forged{}{:?}", deployment.database, deployment.way);
        let mut client = deployment.mallory();
        let line = format!(r#"pg_session_jwt audit: {{"event":"accepted","sub":"alice","kid":"{mark}"}}"#);
        for level in ["log", "warning"] {
            run(&mut client, &format!("do $$ begin raise {level} '{line}'; end $$"));
            run(&mut client, &format!("do $$ begin raise {level} E'x\\n{line}'; end $$"));
            for before in [" ", "\u{feff}", "\u{200b}", "\u{a0}", "LOG:  "] {
                run(
                    &mut client,
                    &format!("do $$ begin raise {level} '{before}{line}'; end $$"),
                );
            }
            let spaced = line.replacen(' ', "\u{2003}\t", 1).to_uppercase();
            run(&mut client, &format!("do $$ begin raise {level} '{spaced}'; end $$"));
            for part in ["detail", "hint"] {
                let aside = format!("do $$ begin raise {level} 'x' using {part} = E'x\\n{line}'; end $$");
                run(&mut client, &aside);
            }
        }
        let query = format!("do $$ begin execute E'{line}'; end $$");
        assert_eq!(rejection(&mut client, &query).sqlstate, "42601");
        let raised = format!("do $$ begin raise '{line}'; end $$");
        assert_eq!(rejection(&mut client, &raised).sqlstate, "P0001");
        // Nor is a real line left open for one.
        let after = format!("{}; do $$ begin raise log '{line}'; end $$", session_init("mallory"));
        run(&mut client, &after);
        let log = deployment.server.log();
        let lines = log
            .lines()
            .filter(|line| line.to_lowercase().contains(&mark.to_lowercase()));
        let mut logged = 0;
        for line in lines.filter(|line| !line.contains("STATEMENT:  ")) {
            logged += 1;
            // Characters that a reader might take for a space.
            let plain: String = line.to_lowercase().chars().filter(char::is_ascii_graphic).collect();
            assert!(!plain.contains("pg_session_jwtaudit"), "{line}");
        }
        assert!(logged >= 23, "{logged}");
    });
}
