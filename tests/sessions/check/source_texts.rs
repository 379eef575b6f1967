//! The reader of source texts: what is a call, and what is a comment or a literal.

#[path = "../../../src/check/claim_names.rs"]
mod claim_names;
#[path = "../../../src/check/source_text/mod.rs"]
mod source_text;

use source_text::{MAX_BYTES, Name, Source, read};

/// The calls of a source text, each with `()` where it has no arguments, `(1)` for constants and `(x)` for others.
fn calls(source: &Source) -> Vec<String> {
    let shown = source.calls.iter().map(|call| {
        let arguments = match (call.has_arguments, call.is_constant) {
            (false, _) => "()",
            (true, true) => "(1)",
            (true, false) => "(x)",
        };
        format!("{}{arguments}", name(&call.function))
    });
    shown.collect()
}

fn name(name: &Name) -> String {
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
    let schema = name.schema.as_ref().map(|schema| text(schema) + ".");
    schema.unwrap_or_default() + &text(&name.name)
}

#[test]
fn calls_are_found_outside_of_comments_and_literals() {
    for (text, expected) in [
        ("select auth.user_id()", &["auth.user_id()"][..]),
        ("select AUTH.User_Id ( )", &["auth.user_id()"]),
        ("select \"Auth\".\"user\"\"id\"()", &["Auth.user\"id()"]),
        ("select d.auth.user_id()", &["auth.user_id()"]),
        ("select f('a', -1, true, 'x'::text)", &["f(1)"]),
        ("select f($1), g(a), h(i(2))", &["f(x)", "g(x)", "h(x)", "i(1)"]),
        ("select 1 -- f()\n + g()", &["g()"]),
        ("select /* f() /* g() */ h() */ i()", &["i()"]),
        ("select 'f()', 'it''s g()', e'\\'h()', $$i()$$, $a$ $$ j() $a$", &[]),
        ("select $1, k()", &["k()"]),
        ("select f(1", &["f(x)"]),
        ("select 'f()", &[]),
        ("/* f()", &[]),
        ("$", &[]),
        ("", &[]),
    ] {
        assert_eq!(calls(&read("sql", text.as_bytes())), expected, "{text}");
    }
}

#[test]
fn claims_of_users_are_named_where_they_are_read() {
    for (text, expected) in [
        ("select auth.jwt() -> 'user_metadata' ->> 'role'", true),
        ("select auth.jwt() #>> '{user_metadata,role}'", true),
        ("select auth.jwt() @@ '$.unsafe_metadata.role == \"admin\"'", true),
        ("select auth.jwt() -> 'https://example.com/userMetadata'", true),
        ("select raw_user_meta_data from users", true),
        ("select u.\"raw_user_meta_data\" from users u", true),
        ("select auth.jwt() - 'user_metadata'", false),
        ("select auth.jwt() #- '{user_metadata,role}'", false),
        ("select auth.jwt() ->> 'kind' = 'user_metadata'", false),
        ("select auth.jwt() #>> '{app_metadata,user_metadata_role}'", false),
        ("select auth.jwt() -> 'app_metadata' -- not 'user_metadata'", false),
        ("select raw_app_meta_data from users", false),
    ] {
        assert_eq!(read("sql", text.as_bytes()).names_user_claim, expected, "{text}");
    }
    assert!(read("plpgsql", b"begin return auth.jwt() -> 'user_metadata'; end").names_user_claim);
    assert!(
        read(
            "plpgsql",
            b"begin execute 'select auth.jwt() -> ''user_metadata'''; end"
        )
        .names_user_claim
    );
    assert!(read("plv8", b"return claims.user_metadata.role // of the token").names_user_claim);
    assert!(!read("plv8", b"return claims.role // not user_metadata").names_user_claim);
}

#[test]
fn executed_literals_count_in_plpgsql_only() {
    let text = b"begin execute 'select f()'; end";
    assert_eq!(calls(&read("plpgsql", text)), ["f()"]);
    assert_eq!(calls(&read("sql", text)), Vec::<String>::new());
    assert_eq!(
        calls(&read("plpgsql", b"begin raise debug 'f()'; end")),
        Vec::<String>::new()
    );
}

#[test]
fn executed_literals_are_joined() {
    for (text, expected) in [
        ("execute 'select f' || '()'", &["f()"][..]),
        ("execute 'select a.' || 'f' || '(' || ')'", &["a.f()"]),
        ("execute 'select ' || name || 'f()'", &["f()"]),
        ("execute format('select %I.%I()', 'a', 'f')", &["format(1)", "a.f()"]),
        ("execute format('select %s(), 1 %% 2', 'f')", &["format(1)", "f()"]),
        ("execute format('select %I.f()', name)", &["format(x)", "f()"]),
        ("execute format('select %I.%I()', name, 'f')", &["format(x)", "f()"]),
        ("execute format('%s", &["format(x)"]),
        ("execute 'f' ||", &[]),
    ] {
        assert_eq!(calls(&read("plpgsql", text.as_bytes())), expected, "{text}");
    }
}

#[test]
fn other_languages_have_other_comments() {
    let text = b"return query(\"select auth.user_id()\") # f()\n// g()";
    let expected = ["query(x)", "auth.user_id()"];
    assert_eq!(calls(&read("plpython3u", text))[..2], expected);
    assert_eq!(calls(&read("plpython3u", text))[2..], ["g()"]);
    assert_eq!(calls(&read("plv8", text))[2..], ["f()"]);
}

#[test]
fn roles_and_settings_are_found() {
    for (text, expected) in [
        ("select current_user", Some("current_user")),
        ("select USER", Some("user")),
        ("select a.user, \"current_user\"", None),
        ("select 'current_user'", None),
        (
            "select current_setting('request.jwt.claims')",
            Some("current_setting()"),
        ),
        (
            "select pg_catalog.current_setting('role', true)",
            Some("current_setting()"),
        ),
        ("select current_setting(name)", Some("current_setting()")),
        ("select current_setting('TimeZone')", None),
        ("select app.current_setting('a.b')", None),
        ("select getpgusername()", Some("the role")),
        ("select has_table_privilege('t', 'select')", Some("the role")),
        ("select has_table_privilege('u', 't', 'select')", None),
        ("select has_column_privilege('t', 'c', 'select')", Some("the role")),
        ("select has_column_privilege('u', 't', 'c', 'select')", None),
        (
            "select has_table_privilege(f(1, 2), array['a', 'b'][1])",
            Some("the role"),
        ),
        ("select pg_has_role('r', 'member')", Some("the role")),
        ("select pg_has_role('u', 'r', 'member')", None),
        ("select row_security_active('t')", Some("the role")),
        ("select app.row_security_active('t')", None),
        ("select has_table_privilege(", None),
    ] {
        assert_eq!(read("sql", text.as_bytes()).reads, expected, "{text}");
    }
}

#[test]
fn relations_are_found() {
    for (text, expected) in [
        ("select a from t", &["t"][..]),
        (
            "select a from s.t, only u x join v on w.a = x.b where y = z",
            &["s.t", "u", "v"],
        ),
        ("select a from f(1), t", &["t"]),
        ("select a from (select b from t) x", &["t"]),
        ("insert into t select 1", &["t"]),
        ("update t set a = b", &["t"]),
        ("select a is distinct from t", &[]),
        ("select a, b where c, d", &[]),
    ] {
        let found: Vec<String> = read("sql", text.as_bytes()).relations.iter().map(name).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn any_bytes_are_read() {
    for text in [
        &b"\xff\xfe'$\""[..],
        b"e'\\",
        b"$a$",
        b"f(((((",
        b"1a.2",
        b"/*/",
        b"--",
        b"a.",
        b".a(",
    ] {
        for language in ["sql", "plpgsql", "plperl", "plv8"] {
            read(language, text);
        }
    }
    let long = b"f(".repeat(MAX_BYTES / 2);
    assert_eq!(read("sql", &long).calls.len(), MAX_BYTES / 2);
}
