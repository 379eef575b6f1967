//! Every function that reads the identity, for a full token and without an identity.

use testkit::messages;
use testkit::server::SHARED;
use testkit::session::{Proxy, claims, init, one, rows, user_id};

const ID: &str = "6f4d2f0a-5b7e-4c8e-9d51-0123456789ab";

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn every_function_reads_a_full_token() {
    let proxy = Proxy::new();
    let mut client = proxy.session();
    let exp = testkit::session::now() + 1000;
    let token = proxy.with_header(
        r#"{"alg":"EdDSA","kid":"key \"1\"","typ":"JWT"}"#,
        &format!(
            r#"{{"iss":"https://example.com/","sub":"{ID}","aud":["a","b"],"exp":{exp},"iat":1.5,"jti":1,
                "role":"authenticated","email":"a+b@example.com","o":{{"id":"{ID}","slg":"acme","n":1.10}}}}"#
        ),
    );
    init(&mut client, &token);
    let asked = "select auth.user_id(), auth.uid(), auth.role(), auth.email(), auth.organization_id(),
                        auth.organization(), auth.jwt() = auth.session(), auth.jwt() -> 'aud' ->> 1,
                        pg_typeof(auth.uid()), pg_typeof(auth.session())";
    let organization = format!(r#"{{"n": 1.10, "id": "{ID}", "slg": "acme"}}"#);
    let expected = [
        ID,
        ID,
        "authenticated",
        "a+b@example.com",
        ID,
        &organization,
        "t",
        "b",
        "uuid",
        "jsonb",
    ]
    .map(text);
    assert_eq!(rows(&mut client, asked), [expected]);
    let status = "select mode, identity, issuer, kid, user_id, extract(epoch from expires_at)::bigint,
                         seconds_left between 900 and 1000, reason from auth.status()";
    let mut expected = [
        "proxy",
        "t",
        "https://example.com/",
        "key \"1\"",
        ID,
        &exp.to_string(),
        "t",
        "",
    ]
    .map(text);
    expected[7] = None;
    assert_eq!(rows(&mut client, status), [expected]);
}

/// attack: 81
#[test]
fn no_identity_is_null_in_every_function_but_session() {
    let mut client = Proxy::new().session();
    let asked = "select auth.user_id(), auth.uid(), auth.role(), auth.email(), auth.organization_id(),
                        auth.organization(), auth.session(), auth.jwt(), auth.session() is null";
    let mut expected = vec![None; 6];
    expected.extend([text("null"), text("null"), text("f")]);
    assert_eq!(rows(&mut client, asked), [expected]);
    let status = "select mode, identity, issuer, kid, user_id, expires_at, seconds_left, reason from auth.status()";
    let mut expected = vec![text("proxy"), text("f"), None, None, None, None, None];
    expected.push(text(messages::NO_TOKEN));
    assert_eq!(rows(&mut client, status), [expected]);
}

#[test]
fn uid_accepts_only_the_canonical_form() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    let bare = ID.replace('-', "");
    let nil = "00000000-0000-0000-0000-000000000000";
    // Each with whether PostgreSQL, which is less strict, accepts it.
    for (sub, is_one, is_one_for_postgresql) in [
        (ID.to_owned(), true, true),
        (nil.to_owned(), true, true),
        (ID.to_uppercase(), false, true),
        (bare.clone(), false, true),
        (format!("{{{ID}}}"), false, true),
        (format!("{{{bare}}}"), false, true),
        ("6f4d-2f0a-5b7e-4c8e-9d51-0123-4567-89ab".to_owned(), false, true),
        ("6f4d2f0a-5b7e4c8e-9d510123-456789ab".to_owned(), false, true),
        (format!(" {ID}"), false, false),
        (format!("{ID} "), false, false),
        (format!("{ID}0"), false, false),
        (format!("{{{ID}"), false, false),
        (format!("{ID}}}"), false, false),
        (format!("{ID}-"), false, false),
        ("6f-4d2f0a5b7e4c8e9d510123456789ab".to_owned(), false, false),
        ("6f4d2f0a--5b7e-4c8e-9d51-0123456789ab".to_owned(), false, false),
        ("+f4d2f0a5b7e4c8e9d510123456789ab".to_owned(), false, false),
        (ID.replace('6', "g"), false, false),
        ("0x".to_owned() + &ID[2..], false, false),
        ("６f4d2f0a5b7e4c8e9d510123456789a".to_owned(), false, false),
        (String::new(), false, false),
        ("alice".to_owned(), false, false),
    ] {
        init(
            &mut client,
            &proxy.token(&format!(r#""sub":"{sub}","o":{{"id":"{sub}"}}"#)),
        );
        assert_eq!(user_id(&mut client).as_deref(), Some(sub.as_str()));
        let expected = is_one.then(|| sub.clone());
        assert_eq!(
            one::<Option<String>>(&mut client, "select auth.uid()::text"),
            expected,
            "{sub}"
        );
        assert_eq!(
            one::<Option<String>>(&mut client, "select auth.organization_id()::text"),
            expected,
            "{sub}"
        );
        let accepted = client.simple_query(&format!("select '{sub}'::uuid")).is_ok();
        assert_eq!(accepted, is_one_for_postgresql, "{sub}");
    }
}

/// attack: 25
#[test]
fn numbers_are_returned_as_signed() {
    // Every digit of a number is preserved.
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for number in [
        "12345678901234567890123",
        "-12345678901234567890123",
        "1.10",
        "0.1000000000000000055511151231257827",
        "9007199254740993",
        "18446744073709551616",
        "100000000000000000000.00000000000000000001",
    ] {
        init(
            &mut client,
            &proxy.token(&format!(r#""sub":"alice","n":{number},"o":{{"n":[{number}]}}"#)),
        );
        for path in [
            "auth.session() ->> 'n'",
            "auth.jwt() ->> 'n'",
            "auth.organization() -> 'n' ->> 0",
        ] {
            assert_eq!(one::<String>(&mut client, &format!("select {path}")), number, "{path}");
        }
    }
    init(&mut client, &proxy.token(r#""n":1e3,"m":1E-2,"z":-0,"big":1e300"#));
    assert_eq!(one::<String>(&mut client, "select auth.session() ->> 'n'"), "1000");
    assert_eq!(one::<String>(&mut client, "select auth.session() ->> 'm'"), "0.01");
    assert_eq!(one::<i32>(&mut client, "select length(auth.session() ->> 'big')"), 301);
}

/// attack: 59
#[test]
fn claims_of_other_types_are_null_and_not_errors() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for value in ["7", "null", "true", "[]", r#"["x"]"#, "1.5"] {
        init(
            &mut client,
            &proxy.token(&format!(
                r#""sub":"alice","role":{value},"email":{value},"o":{value},"iss":{value}"#
            )),
        );
        let asked = "select auth.role(), auth.email(), auth.organization(), auth.organization_id(), auth.user_id()";
        assert_eq!(
            rows(&mut client, asked),
            [vec![None, None, None, None, text("alice")]],
            "{value}"
        );
    }
    for organization in [
        "{}",
        r#"{"id":7}"#,
        r#"{"id":null}"#,
        r#"{"id":"acme"}"#,
        r#"{"ID":"x"}"#,
    ] {
        init(&mut client, &proxy.token(&format!(r#""o":{organization}"#)));
        let shown = one::<String>(&mut client, "select auth.organization()::text").replace(' ', "");
        assert_eq!(shown, organization);
        assert_eq!(
            one::<Option<String>>(&mut client, "select auth.organization_id()::text"),
            None
        );
    }
    // A member with another name, or deeper, is not the claim.
    init(
        &mut client,
        &proxy.token(r#""Sub":"x","x":{"sub":"x","role":"x","o":{}},"EMAIL":"x","O":{}"#),
    );
    let asked = "select auth.user_id(), auth.role(), auth.email(), auth.organization()";
    assert_eq!(rows(&mut client, asked), [vec![None; 4]]);
}

#[test]
fn texts_are_returned_as_signed() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session();
    for (written, meant) in [
        (r"\u0061\u006c\u0069\u0063\u0065", "alice"),
        (r"a\/b", "a/b"),
        (r#"a\"b\\c\nd\u0001"#, "a\"b\\c\nd\u{1}"),
        (r"\ud83d\ude00 \u00e4 \u4e2d", "😀 ä 中"),
        ("\u{202e}\u{200b}e\u{301}é\u{feff}", "\u{202e}\u{200b}e\u{301}é\u{feff}"),
        ("' or true; --", "' or true; --"),
        (" ", " "),
        ("", ""),
    ] {
        init(
            &mut client,
            &proxy.token(&format!(r#""sub":"{written}","role":"{written}","email":"{written}""#)),
        );
        for asked in [
            "auth.user_id()",
            "auth.role()",
            "auth.email()",
            "auth.session() ->> 'sub'",
        ] {
            assert_eq!(
                one::<Option<String>>(&mut client, &format!("select {asked}")).as_deref(),
                Some(meant),
                "{asked}"
            );
        }
    }
    let long = "x".repeat(40_000);
    init(&mut client, &proxy.token(&format!(r#""sub":"{long}""#)));
    assert_eq!(user_id(&mut client), Some(long));
}

#[test]
fn empty_claims_are_an_identity() {
    let mut proxy = Proxy::new();
    let mut client = SHARED.connect(&SHARED.database(), "postgres", &proxy.options());
    init(&mut client, &proxy.token(""));
    assert_eq!(
        (user_id(&mut client), claims(&mut client)),
        (None, r#"{"jti": 1}"#.to_owned())
    );
    let status = "select identity || ' ' || reason from auth.status()";
    assert_eq!(one::<String>(&mut client, status), "true there is no string claim sub");
}
