use http::HeaderValue;
use rstest::rstest;

use super::*;

fn statement(sql: &str, parameters: &str, array_mode: Option<bool>) -> Statement {
    Statement {
        sql: sql.to_owned(),
        parameters: serde_json::from_str(parameters).unwrap(),
        array_mode,
    }
}

#[rstest]
#[case(r#"{"query":"select 1"}"#, statement("select 1", "[]", None))]
#[case(r#"{"query":"","params":null,"arrayMode":null}"#, statement("", "[]", None))]
#[case(
    r#"{"params":["a",null],"arrayMode":true,"query":"b","x":{"query":1}}"#,
    statement("b", r#"["a",null]"#, Some(true))
)]
#[case(r#" {"\u0071uery":"\u00e4\n"} "#, statement("\u{e4}\n", "[]", None))]
fn one_statement(#[case] body: &str, #[case] statement: Statement) {
    assert_eq!(parse_body(body.as_bytes(), 0), Ok(Body::Single(statement)));
}

#[test]
fn batches() {
    assert_eq!(parse_body(br#"{"queries":[]}"#, 0), Ok(Body::Batch(vec![])));
    let body = br#"{"x":1,"queries":[{"query":"a","params":["1"]},{"arrayMode":false,"query":"b"}]}"#;
    let statements = vec![statement("a", r#"["1"]"#, None), statement("b", "[]", Some(false))];
    assert_eq!(parse_body(body, 2), Ok(Body::Batch(statements)));
    let failure = parse_body(body, 1).unwrap_err();
    assert_eq!((failure.status, failure.code()), (400, "54000"));
    assert!(
        failure
            .fields
            .message
            .starts_with("a batch can have at most 1 statements")
    );
}

#[test]
fn the_size_counts_sql_and_parameters_as_they_are_sent() {
    let single = parse_body(br#"{"query":"select $1","params":[1,null,"ab"]}"#, 0).unwrap();
    assert_eq!(single.size(), 9 + 5 + 4 + 6);
    let batch = parse_body(br#"{"queries":[{"query":"a","params":[1]},{"query":"bc"}]}"#, 2).unwrap();
    assert_eq!(batch.size(), 1 + 5 + 2);
}

#[rstest]
#[case(b"", "invalid JSON")]
#[case(b"{", "invalid JSON")]
#[case(b"[]", "value of an unexpected type")]
#[case(b"{}", "neither \"query\" nor \"queries\" is given")]
#[case(br#"{"params":[]}"#, "neither \"query\" nor \"queries\" is given")]
#[case(br#"{"queries":[{}]}"#, "neither \"query\" nor \"queries\" is given")]
#[case(br#"{"query":"a","queries":[]}"#, "both \"query\" and \"queries\" are given")]
#[case(br#"{"query":"a","query":"b"}"#, "member of a statement is given more than once")]
#[case(
    br#"{"query":"a","params":[],"params":[]}"#,
    "member of a statement is given more than once"
)]
#[case(br#"{"queries":[],"queries":[]}"#, "member \"queries\" is given more than once")]
#[case(br#"{"query":5}"#, "value of an unexpected type")]
#[case(br#"{"query":"secret","params":"secret"}"#, "value of an unexpected type")]
#[case(br#"{"query":"a","params":[1,]}"#, "invalid JSON")]
#[case(br#"{"query":"a"} x"#, "invalid JSON")]
#[case(b"{\"query\":\"\xe4\"}", "invalid JSON")]
#[case(b"{\"query\":\"a\",\"params\":[\"\xe4\"]}", "invalid JSON")]
#[case(b"\xef\xbb\xbf{\"query\":\"a\"}", "invalid JSON")]
#[case(br#"{"query":"a\u0000"}"#, "a query contains a null character")]
#[case(br#"{"query":"a","params":["\u0000"]}"#, "a parameter contains a null character")]
#[case(br#"{"query":"a","params":[["\u0000"]]}"#, "a parameter contains a null character")]
fn malformed_bodies(#[case] body: &[u8], #[case] message: &str) {
    let failure = parse_body(body, 8).unwrap_err();
    assert_eq!((failure.status, failure.code()), (400, "22032"));
    let (problem, place) = failure.fields.message.split_once(" at line ").unwrap();
    assert_eq!(problem, message);
    assert!(!place.contains("secret"));
}

fn headers(values: &[(HeaderName, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in values {
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

#[test]
fn options() {
    assert_eq!(Options::of_headers(&HeaderMap::new()), Ok(Options::default()));
    let given = headers(&[
        (RAW_TEXT, "true"),
        (ARRAY_MODE, "true"),
        (ISOLATION, "RepeatableRead"),
        (READ_ONLY, "false"),
        (DEFERRABLE, "true"),
    ]);
    let options = Options {
        raw_text: true,
        array_mode: true,
        isolation: Some(Isolation::RepeatableRead),
        read_only: Some(false),
        deferrable: Some(true),
    };
    assert_eq!(Options::of_headers(&given), Ok(options));
}

#[rstest]
#[case(&[(ISOLATION, "repeatableread")])]
#[case(&[(ISOLATION, "READ COMMITTED; drop table a")])]
#[case(&[(ISOLATION, "")])]
#[case(&[(READ_ONLY, "1")])]
#[case(&[(DEFERRABLE, "True")])]
#[case(&[(RAW_TEXT, "\u{e4}")])]
#[case(&[(READ_ONLY, "true"), (READ_ONLY, "true")])]
fn invalid_options(#[case] given: &[(HeaderName, &'static str)]) {
    assert_eq!(Options::of_headers(&headers(given)).unwrap_err().code(), "22023");
}

#[rstest]
#[case(&[], Ok(None))]
#[case(&["Bearer a.b.c"], Ok(Some("a.b.c")))]
#[case(&["bEARER  a"], Ok(Some("a")))]
#[case(&[""], Err("28000"))]
#[case(&["Bearer"], Err("28000"))]
#[case(&["Bearer "], Err("28000"))]
#[case(&["Bearera "], Err("28000"))]
#[case(&["Basic YTpi"], Err("28000"))]
#[case(&["a.b.c"], Err("28000"))]
#[case(&["Bearer \u{e4}"], Err("28000"))]
#[case(&["Bearer a", "Bearer "], Err("28000"))]
fn tokens(#[case] given: &[&'static str], #[case] token: Result<Option<&str>, &str>) {
    let given: Vec<_> = given.iter().map(|value| (header::AUTHORIZATION, *value)).collect();
    let given = headers(&given);
    assert_eq!(
        bearer_token(&given).as_ref().map(|token| *token).map_err(Failure::code),
        token
    );
}
