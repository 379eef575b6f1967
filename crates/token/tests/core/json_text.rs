//! What counts as JSON in a token, a key and a key set: RFC 8259 to the letter, each name once, bounded depth, no NUL.

use pg_session_jwt_token::json::{self, Json, MAX_DEPTH};
use pg_session_jwt_token::{Error, KeySet, Part};
use rstest::rstest;

use crate::sign::{payload_problem, verify_payload};

fn problem(text: &str) -> String {
    json::parse(text).unwrap_err()
}

#[test]
fn values_of_every_kind_are_read() {
    let text = r#" { "a" : [ null , true , false , 1 , -2 , 1.5 , "x\n\u00e4\/" , [ ] , { } ] } "#;
    let members = json::parse_object(text).unwrap();
    let expected = [
        Json::Null,
        Json::Bool(true),
        Json::Bool(false),
        Json::Integer(1),
        Json::Integer(-2),
        Json::Number(1.5),
        Json::String("x\nä/".into()),
        Json::Array(Vec::new()),
        json::parse("{}").unwrap(),
    ];
    assert_eq!(members.get("a"), Some(&Json::Array(expected.to_vec())));
    assert_eq!(members.get("b"), None);
    assert_eq!(members.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a"]);
}

/// attack: 18
#[rstest]
#[case(r#"{"sub":"a","sub":"b"}"#)]
#[case(r#"{"sub":"a","sub":"a"}"#)]
#[case(r#"{"sub":"a","s\u0075b":"b"}"#)]
#[case(r#"{"exp":1,"a":2,"\u0065\u0078\u0070":3}"#)]
#[case(r#"{"":1,"":2}"#)]
#[case(r#"{"o":{"id":1,"id":2}}"#)]
#[case(r#"{"a":[{"b":{"c":1,"c":1}}]}"#)]
#[case(r#"{"/":1,"\/":2}"#)]
#[case(r#"{"ä":1,"\u00e4":2}"#)]
#[case(r#"{"😀":1,"\ud83d\ude00":2}"#)]
fn a_name_occurs_once_in_an_object(#[case] payload: &str) {
    assert_eq!(payload_problem(payload), "an object has the same member twice");
}

#[test]
fn different_names_are_accepted() {
    let differing = r#"{"a":1,"A":1,"a ":1,"á":1,"á":1,"o":{"a":1},"l":[{"a":1},{"a":1}]}"#;
    assert_eq!(verify_payload(differing).unwrap().claims, differing);
}

/// The problem without its line and column, which the parser adds.
fn before_position(problem: &str) -> &str {
    problem.split_once(" at line").unwrap().0
}

const TOO_DEEP: &str = "nested more than 64 levels deep";

/// attack: 23
#[test]
fn nesting_of_64_is_accepted_and_65_rejected() {
    assert_eq!(MAX_DEPTH, 64);
    let arrays = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    for nested in [arrays, objects] {
        assert!(json::parse(&nested(64)).is_ok());
        assert_eq!(before_position(&problem(&nested(65))), TOO_DEEP);
        assert!(verify_payload(format!(r#"{{"a":{}}}"#, nested(63))).is_ok());
        assert_eq!(payload_problem(format!(r#"{{"a":{}}}"#, nested(64))), TOO_DEEP);
    }
    let pairs = |pairs: usize| format!("{}1{}", r#"[{"a":"#.repeat(pairs), "}]".repeat(pairs));
    assert!(json::parse(&pairs(32)).is_ok());
    assert_eq!(before_position(&problem(&pairs(33))), TOO_DEEP);
}

/// attack: 23
#[rstest]
fn nesting_of_10_000_needs_no_stack(#[values("[", r#"{"a":"#, r#"[{"a":"#)] open: &str) {
    let in_256_kib = |text: String| {
        let parser = std::thread::Builder::new().stack_size(256 * 1024);
        parser.spawn(move || problem(&text)).unwrap().join().unwrap()
    };
    assert_eq!(before_position(&in_256_kib(open.repeat(10_000))), TOO_DEEP);
}

#[test]
fn nesting_of_10_000_in_a_key_set_is_rejected() {
    let Some(Error::KeyNotJson { problem }) = KeySet::from_jwks(&format!(r#"{{"keys":{}"#, "[".repeat(10_000))).err()
    else {
        panic!("a set of that depth was read")
    };
    assert_eq!(before_position(&problem), TOO_DEEP);
}

/// attack: 19
#[rstest]
fn almost_json_is_rejected(
    #[values(
        "",
        " ",
        "{",
        "}",
        "{}}",
        "{}{}",
        "{} x",
        "{},",
        "{\"a\":1,}",
        "{\"a\":[1,]}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":'b'}",
        "{1:2}",
        "{null:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\" 1}",
        "{\"a\"=1}",
        "{\"a\":1;\"b\":2}",
        "/**/{}",
        "{}//x",
        "{/*x*/}",
        "#\n{}",
        "\u{feff}{}",
        "{}\u{feff}",
        "{\u{a0}}",
        "\u{b}{}",
        "\u{c}{}",
        "{\"a\":True}",
        "{\"a\":nul}",
        "{\"a\":nullx}",
        "{\"a\":undefined}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":-Infinity}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\u{1f}\"}",
        r#"{"a":"\x41"}"#,
        r#"{"a":"\'"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"\u12G4"}"#,
        r#"{"a":"\u+123"}"#,
        r#"{"a":"\U00e4"}"#,
        r#"{"a":"}"#,
        r#"{"a":"\"}"#,
        "[1",
        "\"a"
    )]
    text: &str,
) {
    assert!(json::parse(text).is_err(), "{text}");
    assert!(
        matches!(
            verify_payload(text),
            Err(Error::NotJson {
                part: Part::Payload,
                ..
            })
        ),
        "{text}"
    );
}

/// attack: 27
#[rstest]
fn a_payload_must_be_an_object(
    #[values("[]", r#"["sub"]"#, r#""sub""#, "1", "null", "true", r#"[{"sub":"alice"}]"#, " 7 ")] payload: &str,
) {
    assert_eq!(payload_problem(payload), "it is not an object", "{payload}");
}

#[test]
fn an_empty_object_is_a_payload() {
    assert_eq!(verify_payload("{}").unwrap().claims, "{}");
}

#[rstest]
fn the_parser_s_private_names_are_ordinary_names(
    #[values(
        "$serde_json::private::Number",
        "$serde_json::private::RawValue",
        "__proto__",
        "constructor"
    )]
    name: &str,
) {
    let payload = format!(r#"{{"sub":"alice","n":{{"{name}":"1e999999999"}}}}"#);
    assert_eq!(verify_payload(&payload).unwrap().claims, payload);
    let text = format!(r#"{{"{name}":"7"}}"#);
    let members = json::parse_object(&text).unwrap();
    assert_eq!(members.get(name), Some(&Json::String("7".into())));
}

#[test]
fn many_members_cost_no_more_than_their_text() {
    let members: Vec<String> = (0..5_000).map(|index| format!(r#""{index:x}":0"#)).collect();
    let payload = format!("{{{}}}", members.join(","));
    assert_eq!(verify_payload(&payload).unwrap().claims, payload);
}
