//! Every function that reads the identity, for a full token and without an identity.

use rstest::rstest;

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

const NIL: &str = "00000000-0000-0000-0000-000000000000";

fn bare() -> String {
    ID.replace('-', "")
}

// Each with whether PostgreSQL, which is less strict, accepts it.
#[rstest]
#[case(ID, true, true)]
#[case(NIL, true, true)]
#[case(ID.to_uppercase(), false, true)]
#[case(bare(), false, true)]
#[case(format!("{{{ID}}}"), false, true)]
#[case(format!("{{{}}}", bare()), false, true)]
#[case("6f4d-2f0a-5b7e-4c8e-9d51-0123-4567-89ab", false, true)]
#[case("6f4d2f0a-5b7e4c8e-9d510123-456789ab", false, true)]
#[case(format!(" {ID}"), false, false)]
#[case(format!("{ID} "), false, false)]
#[case(format!("{ID}0"), false, false)]
#[case(format!("{{{ID}"), false, false)]
#[case(format!("{ID}}}"), false, false)]
#[case(format!("{ID}-"), false, false)]
#[case("6f-4d2f0a5b7e4c8e9d510123456789ab", false, false)]
#[case("6f4d2f0a--5b7e-4c8e-9d51-0123456789ab", false, false)]
#[case("+f4d2f0a5b7e4c8e9d510123456789ab", false, false)]
#[case(ID.replace('6', "g"), false, false)]
#[case(format!("0x{}", &ID[2..]), false, false)]
#[case("６f4d2f0a5b7e4c8e9d510123456789a", false, false)]
#[case("", false, false)]
#[case("alice", false, false)]
fn uid_accepts_only_the_canonical_form(
    #[case] sub: impl Into<String>,
    #[case] is_one: bool,
    #[case] is_one_for_postgresql: bool,
) {
    let (sub, mut proxy) = (sub.into(), Proxy::new());
    let mut client = proxy.shared_session_as("alice");
    init(
        &mut client,
        &proxy.token(&format!(r#""sub":"{sub}","o":{{"id":"{sub}"}}"#)),
    );
    assert_eq!(user_id(&mut client).as_deref(), Some(sub.as_str()));
    let expected = is_one.then(|| sub.clone());
    for reader in ["uid", "organization_id"] {
        let value = one::<Option<String>>(&mut client, &format!("select auth.{reader}()::text"));
        assert_eq!(value, expected, "{reader}");
    }
    let accepted = client.simple_query(&format!("select '{sub}'::uuid")).is_ok();
    assert_eq!(accepted, is_one_for_postgresql);
}

// Every digit of a number is preserved.
/// attack: 25
#[rstest]
#[case("12345678901234567890123")]
#[case("-12345678901234567890123")]
#[case("1.10")]
#[case("0.1000000000000000055511151231257827")]
#[case("9007199254740993")]
#[case("18446744073709551616")]
#[case("100000000000000000000.00000000000000000001")]
fn numbers_are_returned_as_signed(#[case] number: &str) {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
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

#[test]
fn numbers_with_exponents_are_returned_as_jsonb_writes_them() {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    init(&mut client, &proxy.token(r#""n":1e3,"m":1E-2,"z":-0,"big":1e300"#));
    assert_eq!(one::<String>(&mut client, "select auth.session() ->> 'n'"), "1000");
    assert_eq!(one::<String>(&mut client, "select auth.session() ->> 'm'"), "0.01");
    assert_eq!(one::<i32>(&mut client, "select length(auth.session() ->> 'big')"), 301);
}

/// attack: 59
#[rstest]
#[case("7")]
#[case("null")]
#[case("true")]
#[case("[]")]
#[case(r#"["x"]"#)]
#[case("1.5")]
fn claims_of_other_types_are_null_and_not_errors(#[case] value: &str) {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    init(
        &mut client,
        &proxy.token(&format!(
            r#""sub":"alice","role":{value},"email":{value},"o":{value},"iss":{value}"#
        )),
    );
    let asked = "select auth.role(), auth.email(), auth.organization(), auth.organization_id(), auth.user_id()";
    assert_eq!(rows(&mut client, asked), [vec![None, None, None, None, text("alice")]]);
}

#[rstest]
#[case("{}")]
#[case(r#"{"id":7}"#)]
#[case(r#"{"id":null}"#)]
#[case(r#"{"id":"acme"}"#)]
#[case(r#"{"ID":"x"}"#)]
fn organization_without_a_uuid_has_no_id(#[case] organization: &str) {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    init(&mut client, &proxy.token(&format!(r#""o":{organization}"#)));
    let shown = one::<String>(&mut client, "select auth.organization()::text").replace(' ', "");
    assert_eq!(shown, organization);
    assert_eq!(
        one::<Option<String>>(&mut client, "select auth.organization_id()::text"),
        None
    );
}

#[test]
fn member_of_another_name_or_deeper_is_not_the_claim() {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
    init(
        &mut client,
        &proxy.token(r#""Sub":"x","x":{"sub":"x","role":"x","o":{}},"EMAIL":"x","O":{}"#),
    );
    let asked = "select auth.user_id(), auth.role(), auth.email(), auth.organization()";
    assert_eq!(rows(&mut client, asked), [vec![None; 4]]);
}

#[rstest]
#[case(r"\u0061\u006c\u0069\u0063\u0065", "alice")]
#[case(r"a\/b", "a/b")]
#[case(r#"a\"b\\c\nd\u0001"#, "a\"b\\c\nd\u{1}")]
#[case(r"\ud83d\ude00 \u00e4 \u4e2d", "😀 ä 中")]
#[case("\u{202e}\u{200b}e\u{301}é\u{feff}", "\u{202e}\u{200b}e\u{301}é\u{feff}")]
#[case("' or true; --", "' or true; --")]
#[case(" ", " ")]
#[case("", "")]
fn texts_are_returned_as_signed(#[case] written: &str, #[case] meant: &str) {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
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

#[test]
fn long_user_id_is_returned_whole() {
    let mut proxy = Proxy::new();
    let mut client = proxy.shared_session_as("alice");
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
