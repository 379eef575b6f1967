use bytes::{BufMut as _, BytesMut};
use postgres_protocol::message::backend::Message;
use proptest::prelude::*;
use rstest::rstest;

use super::*;

const ROOM: usize = 1 << 20;

/// Names and types of columns.
fn description(columns: &[(&[u8], u32)]) -> RowDescriptionBody {
    let mut body = Vec::new();
    body.put_u16(columns.len() as u16);
    for (name, oid) in columns {
        body.put_slice(name);
        body.put_u8(0);
        body.put_u32(7);
        body.put_i16(2);
        body.put_u32(*oid);
        body.put_i16(-1);
        body.put_i32(-1);
        body.put_i16(0);
    }
    match message(b'T', &body) {
        Message::RowDescription(body) => body,
        _ => unreachable!(),
    }
}

fn row(values: &[Option<&[u8]>]) -> DataRowBody {
    let mut body = Vec::new();
    body.put_u16(values.len() as u16);
    for value in values {
        match value {
            None => body.put_i32(-1),
            Some(value) => {
                body.put_i32(value.len() as i32);
                body.put_slice(value);
            }
        }
    }
    match message(b'D', &body) {
        Message::DataRow(body) => body,
        _ => unreachable!(),
    }
}

fn message(tag: u8, body: &[u8]) -> Message {
    let mut bytes = BytesMut::new();
    bytes.put_u8(tag);
    bytes.put_u32(body.len() as u32 + 4);
    bytes.put_slice(body);
    Message::parse(&mut bytes).unwrap().unwrap()
}

fn reply(raw_text: bool, array_mode: bool, batch: bool, statements: usize) -> ReplyBuilder {
    let options = Options {
        raw_text,
        array_mode,
        ..Options::default()
    };
    ReplyBuilder::new(&options, batch, ROOM, vec![None; statements])
}

fn text(mut reply: ReplyBuilder) -> String {
    String::from_utf8(reply.finish().unwrap()).unwrap()
}

fn field(name: &str, oid: u32) -> String {
    format!(
        r#"{{"name":"{name}","dataTypeID":{oid},"tableID":7,"columnID":2,"dataTypeSize":-1,"dataTypeModifier":-1,"format":"text"}}"#
    )
}

#[test]
fn rows_as_the_driver_wants_them() {
    let mut reply = reply(true, true, false, 1);
    reply
        .row_description(&description(&[(b"a\"", 23), (b"b", 16)]))
        .unwrap();
    reply.row(&row(&[Some(b"1"), None])).unwrap();
    reply.row(&row(&[Some(b"\""), Some(b"t")])).unwrap();
    reply.complete("SELECT 2").unwrap();
    let fields = [field("a\\\"", 23), field("b", 16)].join(",");
    let rows = r#"["1",null],["\"","t"]"#;
    assert_eq!(
        text(reply),
        format!(r#"{{"fields":[{fields}],"rows":[{rows}],"command":"SELECT","rowCount":2,"rowAsArray":true}}"#)
    );
}

#[test]
fn objects_with_the_last_column_of_each_name() {
    let mut reply = reply(false, false, false, 1);
    reply
        .row_description(&description(&[(b"a", 23), (b"b", 16), (b"a", 1007)]))
        .unwrap();
    reply.row(&row(&[Some(b"1"), Some(b"t"), Some(b"{1}")])).unwrap();
    reply.complete("INSERT 0 1").unwrap();
    let fields = [field("a", 23), field("b", 16), field("a", 1007)].join(",");
    assert_eq!(
        text(reply),
        format!(
            r#"{{"fields":[{fields}],"rows":[{{"b":true,"a":[1]}}],"command":"INSERT","rowCount":1,"rowAsArray":false}}"#
        )
    );
}

#[rstest]
#[case("CREATE TABLE", "CREATE", "null")]
#[case("INSERT 0 12", "INSERT", "12")]
#[case("UPDATE 0", "UPDATE", "0")]
#[case("SELECT 18446744073709551615", "SELECT", "18446744073709551615")]
#[case("DO", "DO", "null")]
#[case("5", "5", "null")]
#[case("", "", "null")]
fn command_tags(#[case] tag: &str, #[case] command: &str, #[case] count: &str) {
    let mut reply = reply(true, true, false, 1);
    reply.complete(tag).unwrap();
    assert_eq!(
        text(reply),
        format!(r#"{{"fields":[],"rows":[],"command":"{command}","rowCount":{count},"rowAsArray":true}}"#)
    );
}

#[test]
fn an_empty_batch() {
    assert_eq!(text(reply(true, true, true, 0)), r#"{"results":[]}"#);
}

#[test]
fn a_batch_with_array_modes_of_its_statements() {
    let options = Options {
        raw_text: true,
        array_mode: true,
        ..Options::default()
    };
    let mut reply = ReplyBuilder::new(&options, true, ROOM, vec![Some(false), None, Some(true)]);
    reply.row_description(&description(&[(b"a", 25)])).unwrap();
    reply.row(&row(&[Some(b"x")])).unwrap();
    reply.complete("SELECT 1").unwrap();
    reply.empty_query().unwrap();
    reply.row_description(&description(&[])).unwrap();
    reply.row(&row(&[])).unwrap();
    reply.complete("SELECT 1").unwrap();
    let first = format!(
        r#"{{"fields":[{}],"rows":[{{"a":"x"}}],"command":"SELECT","rowCount":1,"rowAsArray":false}}"#,
        field("a", 25)
    );
    let second = r#"{"fields":[],"rows":[],"command":"","rowCount":null,"rowAsArray":true}"#;
    let third = r#"{"fields":[],"rows":[[]],"command":"SELECT","rowCount":1,"rowAsArray":true}"#;
    assert_eq!(text(reply), format!(r#"{{"results":[{first},{second},{third}]}}"#));
}

#[test]
fn a_limit_of_bytes() {
    let mut reply = ReplyBuilder::new(&Options::default(), true, 200, vec![None]);
    reply.row_description(&description(&[(b"a", 25)])).unwrap();
    let failure = reply.row(&row(&[Some(&[b'x'; 100])])).unwrap_err();
    assert_eq!(
        failure,
        Failure::with_status(507, "54000", "response is too large (max is 200 bytes)")
    );
    // Escapes are longer than what they stand for.
    let mut reply = ReplyBuilder::new(&Options::default(), true, 200, vec![None]);
    reply.row_description(&description(&[(b"a", 25)])).unwrap();
    assert_eq!(reply.row(&row(&[Some(&[1; 30])])).unwrap_err().status, 507);
}

#[test]
fn other_encodings_than_utf8() {
    let mut with_value = reply(true, true, false, 1);
    with_value.row_description(&description(&[(b"a", 25)])).unwrap();
    assert_eq!(with_value.row(&row(&[Some(b"\xe4")])).unwrap_err().code(), "22P05");
    let mut with_name = reply(true, true, false, 1);
    assert_eq!(
        with_name
            .row_description(&description(&[(b"\xe4", 25)]))
            .unwrap_err()
            .code(),
        "22P05"
    );
}

#[rstest]
#[case(&[])]
#[case(&[None, None])]
fn rows_of_another_number_of_columns(#[case] values: &[Option<&[u8]>]) {
    let mut reply = reply(true, true, false, 1);
    reply.row_description(&description(&[(b"a", 25)])).unwrap();
    assert_eq!(reply.row(&row(values)).unwrap_err().code(), "08P01");
}

#[test]
fn messages_without_their_place() {
    assert_eq!(reply(true, true, false, 1).row(&row(&[])).unwrap_err().code(), "08P01");
    assert_eq!(reply(true, true, false, 1).finish().unwrap_err().code(), "08P01");
    let mut unfinished = reply(true, true, true, 1);
    unfinished.row_description(&description(&[])).unwrap();
    assert_eq!(unfinished.finish().unwrap_err().code(), "08P01");
    assert_eq!(
        unfinished.row_description(&description(&[])).unwrap_err().code(),
        "08P01"
    );
}

proptest! {
    #[test]
    fn any_row_is_read_as_it_was(
        texts in prop::collection::vec(prop::option::of(".{0,12}"), 0..6),
        array_mode: bool,
    ) {
        let names: Vec<String> = (0..texts.len()).map(|index| format!("c{index}")).collect();
        let columns: Vec<(&[u8], u32)> = names.iter().map(|name| (name.as_bytes(), 25)).collect();
        let mut reply = reply(true, array_mode, false, 1);
        reply.row_description(&description(&columns)).unwrap();
        let values: Vec<Option<&[u8]>> = texts.iter().map(|text| text.as_deref().map(str::as_bytes)).collect();
        reply.row(&row(&values)).unwrap();
        reply.complete("SELECT 1").unwrap();
        let body: serde_json::Value = serde_json::from_str(&text(reply)).unwrap();
        let expected = if array_mode {
            serde_json::json!([texts])
        } else {
            serde_json::json!([names.iter().cloned().zip(texts).collect::<std::collections::BTreeMap<_, _>>()])
        };
        prop_assert_eq!(&body["rows"], &expected);
    }
}
