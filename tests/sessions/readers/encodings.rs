//! Databases in other encodings than UTF-8, the encoding of tokens.

use postgres::Client;

use testkit::messages;
use testkit::server::SHARED;
use testkit::session::{Proxy, claims, init, one, rejects, rejects_token, run, user_id};

fn database(encoding: &str) -> String {
    SHARED.database_with(&format!("encoding '{encoding}' template template0 locale 'C'"))
}

/// JSON with every non-ASCII character as an escape.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c.is_ascii() {
            true => vec![c],
            false => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .flat_map(|unit| format!("\\u{unit:04x}").chars().collect::<Vec<_>>())
                .collect(),
        })
        .collect()
}

/// Asserts that an SQL expression equals this text, compared inside the server.
#[track_caller]
fn is(client: &mut Client, expression: &str, text: &str) {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let same = format!("select coalesce({expression} = convert_from('\\x{hex}', 'UTF8'), false)");
    assert!(one::<bool>(client, &same), "{expression} is not {text}");
}

const TEXTS: [(&str, &str); 8] = [
    ("LATIN1", "älice ÿ\u{a0}"),
    ("LATIN9", "älice €"),
    ("LATIN2", "Łódź"),
    ("WIN1252", "älice € “x”"),
    ("WIN1251", "Алиса"),
    ("KOI8R", "Алиса"),
    ("EUC_JP", "日本 かな ｶﾅ"),
    ("EUC_KR", "한국"),
];

#[test]
fn representable_text_is_converted_in_any_spelling() {
    // Text is converted to the encoding of the database.
    for (encoding, text) in TEXTS {
        let mut proxy = Proxy::new();
        let mut client = proxy.session_on(&SHARED, &database(encoding));
        run(
            &mut client,
            "create table owned (user_id text default auth.user_id(), email text)",
        );
        for written in [text.to_owned(), escaped(text), format!("{text}{}", escaped(text))] {
            let meant = if written.len() > escaped(text).len() {
                format!("{text}{text}")
            } else {
                text.to_owned()
            };
            let members = format!(
                r#""sub":"{written}","role":"{written}","email":"{written}","iss":"{written}","o":{{"{written}":["{written}"]}}"#
            );
            init(&mut client, &proxy.token(&members));
            for expression in [
                "auth.user_id()",
                "auth.role()",
                "auth.email()",
                "auth.session() ->> 'sub'",
                "auth.organization() #>> array[auth.user_id(), '0']",
                "(select issuer from auth.status())",
                "(select user_id from auth.status())",
            ] {
                is(&mut client, expression, &meant);
            }
            assert_eq!(
                user_id(&mut client),
                Some(meant),
                "as {encoding} is sent to a client of UTF-8"
            );
            run(&mut client, "insert into owned values (default, auth.email())");
            assert_eq!(
                one::<i64>(
                    &mut client,
                    "select count(*) from owned where user_id = auth.user_id() and email = user_id"
                ),
                1
            );
            run(&mut client, "delete from owned");
        }
    }
}

#[test]
fn unrepresentable_character_is_rejected_when_presented() {
    // Text is converted to the encoding of the database, or rejected.
    for (encoding, text) in [
        ("LATIN1", "中"),
        ("LATIN1", "Ł"),
        ("WIN1252", "Я"),
        ("KOI8R", "ä"),
        ("EUC_JP", "😀"),
    ] {
        let mut proxy = Proxy::new();
        let mut client = proxy.session_on(&SHARED, &database(encoding));
        init(&mut client, &proxy.token_of("alice"));
        for written in [text.to_owned(), escaped(text)] {
            for members in [
                format!(r#""sub":"{written}""#),
                format!(r#""sub":"bob","email":"{written}""#),
                format!(r#""sub":"bob","x":{{"y":["{written}"]}}"#),
                format!(r#""sub":"bob","{written}":1"#),
                format!(r#""sub":"bob","iss":"{written}""#),
            ] {
                rejects_token(&mut client, &proxy.token(&members), "28000", messages::NOT_ENCODABLE);
            }
        }
        let kid = proxy.with_header(&format!(r#"{{"alg":"EdDSA","kid":"{text}"}}"#), r#"{"jti":1000}"#);
        rejects_token(&mut client, &kid, "28000", messages::NOT_ENCODABLE);
        // Nothing fails later, and the jti of a rejected token does not count.
        init(&mut client, &proxy.token_with_jti(2, r#""sub":"carol""#));
        assert_eq!(user_id(&mut client).as_deref(), Some("carol"));
        assert_eq!(claims(&mut client), r#"{"jti": 2, "sub": "carol"}"#);
    }
}

#[test]
fn utf_8_is_unchanged_in_sql_ascii() {
    // Text is converted to the encoding of the database, or rejected.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&SHARED, &database("SQL_ASCII"));
    for text in ["älice", "中文", "😀", "a\u{7f}b"] {
        for written in [text.to_owned(), escaped(text)] {
            init(
                &mut client,
                &proxy.token(&format!(r#""sub":"{written}","o":{{"x":"{written}"}}"#)),
            );
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            for expression in [
                "auth.user_id()",
                "auth.session() ->> 'sub'",
                "auth.organization() ->> 'x'",
            ] {
                let shown = format!("select encode(convert_to({expression}, 'SQL_ASCII'), 'hex')");
                assert_eq!(one::<String>(&mut client, &shown), hex, "{expression} of {written}");
            }
        }
    }
}

#[test]
fn escapes_that_mean_something_stay_escapes() {
    for encoding in ["LATIN1", "SQL_ASCII", "UTF8"] {
        let mut proxy = Proxy::new();
        let mut client = proxy.session_on(&SHARED, &database(encoding));
        for (written, meant) in [
            (r"\\u00e4", r"\u00e4"),
            (r#"\"\u0022\u005c\u005cu00e4"#, r#"""\\u00e4"#),
            (r"\\\\u00e4\\", r"\\u00e4\"),
            (r"\u0001\t\u001f\u007f", "\u{1}\t\u{1f}\u{7f}"),
        ] {
            init(
                &mut client,
                &proxy.token(&format!(r#""sub":"{written}","x":"{written}\u00e4""#)),
            );
            is(&mut client, "auth.user_id()", meant);
            is(&mut client, "auth.session() ->> 'sub'", meant);
            is(
                &mut client,
                "rtrim(auth.session() ->> 'x', convert_from('\\xc3a4', 'UTF8'))",
                meant,
            );
        }
    }
}

#[test]
fn two_users_never_become_one() {
    // U+00A6 and U+FFE4 share one code in EUC_JP.
    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&SHARED, &database("EUC_JP"));
    let mut seen = Vec::new();
    for bar in ["\u{a6}", "\u{ffe4}"] {
        let token = proxy.token_of(&format!("alice{bar}"));
        if client
            .batch_execute(&format!("select auth.jwt_session_init('{token}')"))
            .is_ok()
        {
            seen.push(user_id(&mut client).unwrap());
        }
    }
    let distinct: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "{seen:?}");
    assert!(!seen.is_empty(), "at least one of them can be a user");
}

#[test]
fn a_token_of_the_startup_packet_is_converted_when_it_is_used() {
    let mut proxy = Proxy::new();
    let database = database("LATIN1");
    let options = |proxy: &Proxy, token: &str| format!("{} -c pg_session_jwt.jwt={token}", proxy.options());
    let token = proxy.token_of("älice");
    let mut client = SHARED.connect(&database, "postgres", &options(&proxy, &token));
    is(&mut client, "auth.user_id()", "älice");
    let token = proxy.token_with_jti(1000, r#""sub":"中""#);
    let mut client = SHARED.connect(&database, "postgres", &options(&proxy, &token));
    for _ in 0..2 {
        rejects(&mut client, "select auth.user_id()", "28000", messages::NOT_ENCODABLE);
        rejects(&mut client, "select auth.session()", "28000", messages::NOT_ENCODABLE);
    }
    // A token that was never accepted does not count for the last jti.
    init(&mut client, &proxy.token_of("bob"));
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
}

#[test]
fn claims_are_in_the_encoding_of_the_database() {
    let mut client = SHARED.connect(&database("LATIN1"), "postgres", "");
    for text in ["älice", r"\u00e4lice"] {
        run(
            &mut client,
            &format!(r#"set request.jwt.claims = '{{"sub":"{text}","x":"{text}"}}'"#),
        );
        is(&mut client, "auth.user_id()", "älice");
        is(&mut client, "auth.session() ->> 'x'", "älice");
    }
    // jsonb could not represent it: treated as invalid JSON.
    run(
        &mut client,
        r#"set request.jwt.claims = '{"sub":"alice","x":"\u4e2d"}'"#,
    );
    assert_eq!((user_id(&mut client), claims(&mut client)), (None, "null".to_owned()));
    let mut client = SHARED.connect(&database("SQL_ASCII"), "postgres", "");
    run(&mut client, r#"set request.jwt.claims = '{"sub":"\u00e4","x":"ä"}'"#);
    assert!(one::<bool>(
        &mut client,
        "select auth.user_id() = auth.session() ->> 'x'"
    ));
}

#[test]
fn the_clients_encoding_makes_no_difference() {
    let mut proxy = Proxy::new();
    for (encoding, clients) in [
        ("UTF8", "LATIN1"),
        ("LATIN2", "WIN1250"),
        ("UTF8", "SQL_ASCII"),
        ("EUC_JP", "SJIS"),
    ] {
        let mut client = proxy.session_on(&SHARED, &database(encoding));
        run(&mut client, &format!("set client_encoding = '{clients}'"));
        let text = if encoding == "EUC_JP" { "日本" } else { "älice ő" };
        let text = if clients == "LATIN1" { "älice" } else { text };
        for written in [text.to_owned(), escaped(text)] {
            init(&mut client, &proxy.token(&format!(r#""sub":"{written}""#)));
            is(&mut client, "auth.user_id()", text);
            is(&mut client, "auth.session() ->> 'sub'", text);
        }
    }
}
