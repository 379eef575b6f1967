//! The maximum length of a token, and that a longer text costs nothing.

use testkit::messages;
use testkit::session::{Proxy, init, rejection, rejects, rejects_token, run, user_id};

#[test]
fn a_token_has_at_most_64_kib() {
    // A token has a limit.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    let long = |filler: usize| proxy.raw(format!(r#"{{"jti":9,"sub":"bob","x":"{}"}}"#, "x".repeat(filler)));
    let fits = (48_900..49_100)
        .map(&long)
        .rfind(|token| token.len() <= 65_536)
        .unwrap();
    assert!(fits.len() > 65_530, "{}", fits.len());
    let too_long = (48_900..49_200).map(&long).find(|token| token.len() > 65_536).unwrap();
    rejects_token(&mut client, &too_long, "28000", messages::TOO_LONG);
    rejects_token(&mut client, &".".repeat(65_537), "28000", messages::TOO_LONG);
    let rejected = rejection(&mut client, &format!("select auth.jwt_session_init('{too_long}')"));
    let detail = format!("The token has {} bytes; the limit is 65536.", too_long.len());
    assert_eq!(rejected.detail, Some(detail));
    init(&mut client, &fits);
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

/// attack: 26
#[test]
fn enormous_text_is_rejected_at_once() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_as("alice");
    run(
        &mut client,
        // Reading any of these by characters would take longer.
        "set statement_timeout = '60s';
                      create table t (plain text, packed text);
                      alter table t alter packed set storage extended;
                      insert into t values (null, repeat('a.', 5000000))",
    );
    for text in [
        "repeat(repeat('a', 1000), 300000)",
        "repeat(repeat('a.b.c', 1000), 20000)",
        "(select packed from t)",
    ] {
        for arguments in [text.to_owned(), format!("{text}, true")] {
            rejects(
                &mut client,
                &format!("select auth.jwt_session_init({arguments})"),
                "28000",
                messages::TOO_LONG,
            );
        }
        assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
    }
    let set = "select set_config('pg_session_jwt.jwt', repeat(repeat('a', 1000), 100000), false)";
    rejects(&mut client, set, "28000", messages::TOO_LONG);
    assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
}
