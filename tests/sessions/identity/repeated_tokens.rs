//! A cached verification does not replace the checks of time, role and keys, and every byte of the token counts.

use testkit::messages;
use testkit::provider::{Provider, database};
use testkit::server::SHARED;
use testkit::session::{init, now, one, rejects, rejects_token, run, user_id};

use crate::support::process_memory::own_memory;

fn present(token: &str) -> String {
    format!("select auth.jwt_session_init('{token}')")
}

#[test]
fn repeated_token_gives_the_same_identity() {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(&database(&[provider.entry("")]), "postgres", "");
    let (alice, bob) = (provider.token("alice"), provider.token("bob"));
    for _ in 0..3 {
        init(&mut client, &alice);
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        init(&mut client, &bob);
        assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    }
    run(&mut client, "discard all");
    assert_eq!(user_id(&mut client), None);
    init(&mut client, &alice);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn repeated_token_expires() {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(&database(&[provider.entry("")]), "postgres", "");
    let old = provider.token_with(&format!(r#""sub":"alice","exp":{}"#, now() - 30));
    let early = provider.token_with(&format!(r#""sub":"alice","nbf":{}"#, now() + 30));
    for (token, message) in [(old, messages::EXPIRED), (early, messages::NOT_YET_VALID)] {
        run(&mut client, "set pg_session_jwt.leeway = 60");
        init(&mut client, &token);
        init(&mut client, &token);
        run(&mut client, "reset pg_session_jwt.jwt; set pg_session_jwt.leeway = 0");
        rejects_token(&mut client, &token, "28000", message);
    }
}

#[test]
fn repeated_token_is_checked_for_the_role() {
    let provider = Provider::new("a");
    let entry = provider.entry(r#","roles":"authenticated""#);
    let mut client = SHARED.connect(&database(&[entry]), "postgres", "");
    let token = provider.token("alice");
    run(&mut client, "set role authenticated");
    init(&mut client, &token);
    run(&mut client, "reset pg_session_jwt.jwt; set role anonymous");
    rejects_token(&mut client, &token, "28000", messages::ROLE);
    run(&mut client, "set role authenticated");
    init(&mut client, &token);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

#[test]
fn repeated_token_is_verified_with_changed_keys() {
    let (provider, other) = (Provider::new("a"), Provider::new("a"));
    let mut client = SHARED.connect(&database(&[provider.entry("")]), "postgres", "");
    let token = provider.token("alice");
    init(&mut client, &token);
    run(&mut client, "reset pg_session_jwt.jwt");
    let set = |entry: &str| format!("set pg_session_jwt.providers = '[{entry}]'");
    for (entry, message) in [
        (other.entry(""), messages::INVALID_SIGNATURE),
        (provider.entry(r#","audience":"x""#), messages::OTHER_AUDIENCE),
        (provider.entry(r#","algorithms":"RS256""#), messages::ALGORITHM_MISMATCH),
    ] {
        run(&mut client, &set(&entry));
        rejects_token(&mut client, &token, "28000", message);
    }
    run(&mut client, &set(&provider.entry(r#","user_id_claim":"iss""#)));
    init(&mut client, &token);
    assert_eq!(user_id(&mut client).as_deref(), Some("a"));
    run(&mut client, &set(&provider.entry("")));
    init(&mut client, &token);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}

/// attack: 31
#[test]
fn token_that_differs_in_one_byte_is_rejected() {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(&database(&[provider.entry("")]), "postgres", "");
    let token = provider.token("alice");
    init(&mut client, &token);
    run(&mut client, "reset pg_session_jwt.jwt");
    let signature = token.rfind('.').unwrap() + 1;
    let flipped = if &token[signature..=signature] == "A" { "B" } else { "A" };
    let forged = format!("{}{flipped}{}", &token[..signature], &token[signature + 1..]);
    rejects(&mut client, &present(&forged), "28000", messages::INVALID_SIGNATURE);
    rejects(
        &mut client,
        &present(&format!("{token}=")),
        "28000",
        messages::SIGNATURE_NOT_BASE64URL,
    );
    assert_eq!(user_id(&mut client), None);
}

#[test]
fn cache_of_verified_tokens_is_bounded() {
    let provider = Provider::new("a");
    let mut client = SHARED.connect(&database(&[provider.entry("")]), "postgres", "");
    let filler = "x".repeat(40_000);
    let many = |client: &mut postgres::Client, range: std::ops::Range<u32>| {
        for n in range {
            init(
                client,
                &provider.token_with(&format!(r#""sub":"u{n}","x":"{filler}","exp":{}"#, now() + 60)),
            );
            assert_eq!(user_id(client), Some(format!("u{n}")));
        }
    };
    let pid = one(&mut client, "select pg_backend_pid()");
    many(&mut client, 0..100);
    let before = own_memory(pid);
    many(&mut client, 100..400);
    let grown = own_memory(pid) - before;
    // 300 tokens of 54 KB, none of which may still be cached.
    assert!(grown < 2_000, "{grown} KiB");
}
