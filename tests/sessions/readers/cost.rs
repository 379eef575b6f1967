//! The cost of a policy for each row does not grow with the token.

use testkit::session::{Proxy, init, one, run};

/// Unpacking 40 KB of claims takes a quarter of a millisecond at best. For each of these rows it would take minutes.
const ROWS: i64 = 400_000;

#[test]
fn long_token_is_not_unpacked_for_each_row() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    run(
        &mut client,
        "set max_parallel_workers_per_gather = 0; set statement_timeout = '60s'",
    );
    let claims: String = (0..900)
        .map(|n| format!(r#","claim{n}":{{"value":[{n},"some text of the claim"]}}"#))
        .collect();
    let long = format!(r#""sub":"alice","email":"a@example.com","o":{{"id":"x"}}{claims}"#);
    assert!(long.len() > 40_000, "{}", long.len());
    init(&mut client, &proxy.token(&long));
    for call in [
        "auth.user_id()",
        "auth.email()",
        "auth.organization()",
        "auth.session()",
        "auth.jwt() ->> 'sub'",
    ] {
        let sql = format!("select count({call}) from generate_series(1, {ROWS})");
        assert_eq!(one::<i64>(&mut client, &sql), ROWS, "{call}");
    }
}
