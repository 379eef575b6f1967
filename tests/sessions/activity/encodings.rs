//! Databases of different encodings: the reader sees the text, or NULL where its encoding has no such characters.

use testkit::session::{one, run};

use super::support::{SERVER, Site, pid, shown};

fn options(encoding: &str) -> String {
    format!("encoding '{encoding}' template template0 locale 'C'")
}

#[test]
fn texts_are_converted_between_databases() {
    let mut writers = ["UTF8", "LATIN1", "WIN1252", "SQL_ASCII"].map(|encoding| {
        let site = Site::with_options(&options(encoding));
        let mut client = site.session();
        let token = site.token("\\u00e4lice");
        run(&mut client, &format!("set pg_session_jwt.jwt = '{token}'"));
        (encoding, pid(&mut client), client, site)
    });
    for reader in ["UTF8", "LATIN1", "EUC_JP", "SQL_ASCII"] {
        let database = SERVER.database_with(&options(reader));
        let mut monitor = SERVER.connect(&database, "postgres", "");
        for (writer, pid, ..) in &mut writers {
            let hex = match reader {
                "LATIN1" => "e46c696365",
                // EUC_JP has it in JIS X 0212.
                "EUC_JP" => "8faba36c696365",
                _ => "c3a46c696365",
            };
            let bytes = format!(
                "select coalesce(encode(convert_to(user_id, getdatabaseencoding()::name), 'hex'), 'null') from auth.activity() where pid = {pid}"
            );
            let bytes = if reader == "SQL_ASCII" {
                format!("select encode(user_id::bytea, 'hex') from auth.activity() where pid = {pid}")
            } else {
                bytes
            };
            assert_eq!(one::<String>(&mut monitor, &bytes), hex, "{writer} read in {reader}");
        }
    }
}

#[test]
fn text_that_the_reader_cannot_represent_is_null() {
    let site = Site::new();
    let mut client = site.session();
    run(
        &mut client,
        &format!("set pg_session_jwt.jwt = '{}'", site.token("Алиса")),
    );
    let pid = pid(&mut client);
    let database = SERVER.database_with(&options("LATIN1"));
    let mut monitor = SERVER.connect(&database, "postgres", "");
    assert_eq!(
        shown(&mut monitor, pid, "mode, coalesce(user_id, '-'), kid"),
        "provider|-|k1"
    );
}

#[test]
fn truncation_keeps_whole_characters() {
    let mut site = Site::with_options(&options("EUC_JP"));
    let mut client = site.session();
    // Two bytes each: 129 characters are two bytes too long, and 253 bytes have room for 126.
    run(
        &mut client,
        &format!("set pg_session_jwt.jwt = '{}'", site.token(&"日".repeat(129))),
    );
    let pid = pid(&mut client);
    assert_eq!(site.shown(&pid, "user_id"), format!("{}...", "日".repeat(126)));
    run(
        &mut client,
        &format!("set pg_session_jwt.jwt = '{}'", site.token(&"日".repeat(128))),
    );
    assert_eq!(site.shown(&pid, "user_id"), "日".repeat(128));
}
