//! Texts at the limit of a row, and beyond it.

use testkit::session::run;

use super::support::{SERVER, Site, pid};

#[test]
fn longer_texts_are_truncated_and_marked() {
    let mut site = Site::new();
    let mut client = SERVER.connect(&SERVER.database(), "postgres", "");
    let pid = pid(&mut client);
    let (whole, long) = ("u".repeat(256), "u".repeat(257));
    let cut = format!("{}...", "u".repeat(253));
    // The last character would reach over the limit by one byte: 252 + 3 of 253.
    let (wide, wide_cut) = ("\u{20ac}".repeat(86), format!("{}...", "\u{20ac}".repeat(84)));
    let fits = format!("{}u", "\u{20ac}".repeat(85));
    for (user_id, shown) in [
        ("", ""),
        ("u", "u"),
        (&whole, &whole),
        (&long, &cut),
        (&"u".repeat(5000), &cut),
        (&fits, &fits),
        (&wide, &wide_cut),
    ] {
        run(
            &mut client,
            &format!(r#"set request.jwt.claims = '{{"sub":"{user_id}","iss":"{user_id}"}}'; select auth.user_id()"#),
        );
        assert_eq!(site.shown(&pid, "user_id, issuer"), format!("{shown}|{shown}"));
    }
    for (bytes, shown) in [(128, "k".repeat(128)), (129, format!("{}...", "k".repeat(125)))] {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, "k".repeat(bytes));
        let proxy = testkit::session::Proxy::new();
        let mut client = proxy.session_on(&SERVER, &SERVER.database());
        let token = proxy.with_header(&header, r#"{"jti":1,"sub":"alice"}"#);
        run(&mut client, &format!("set pg_session_jwt.jwt = '{token}'"));
        assert_eq!(site.shown(&super::support::pid(&mut client), "kid"), shown);
    }
}
