//! The list that the statement writes: nothing is dropped, added twice or left incomplete.

use testkit::loading::{PRELOADED, with_each_loading};
use testkit::server::Server;
use testkit::session::{one, rejects, rows, run};

use super::{STORED, gexec, psql, store};

const SUPABASE: &str = "https://a.supabase.co";
const ENTRY: &str = r#"{"issuer": "https://a.supabase.co/auth/v1", "audience": "authenticated", "jwks_url": "https://a.supabase.co/auth/v1/.well-known/jwks.json", "roles": ["authenticated"]}"#;

fn statement(url: &str) -> String {
    format!("select statement from auth.provider_settings('{url}')")
}

#[test]
fn statement_quotes_the_database_and_the_list() {
    let database = PRELOADED.database();
    let mut client = PRELOADED.connect(&database, "postgres", "");
    run(
        &mut client,
        &format!(r#"create database "{database} ""'\\ $1" template template1"#),
    );
    let name = format!(r#"{database} "'\\ $1"#);
    store(
        &mut client,
        &database,
        r#"[{"issuer": "it's \"a\" \\ ä", "jwks_url": "https://b.example/keys"}]"#,
    );
    let quoted = r#"[{"issuer": "it''s \\"a\\" \\\\ \\u00e4", "jwks_url": "https://b.example/keys"}, "#;
    assert_eq!(
        one::<String>(&mut client, &statement(SUPABASE)),
        format!("ALTER DATABASE {database} SET pg_session_jwt.providers = E'{quoted}{ENTRY}]'")
    );
    let mut odd = PRELOADED.connect(&name, "postgres", "");
    let alter: String = one(&mut odd, &statement(SUPABASE));
    assert!(
        alter.starts_with(&format!(r#"ALTER DATABASE "{}" SET"#, name.replace('"', "\"\""))),
        "{alter}"
    );
    run(&mut odd, &alter);
    assert_eq!(one::<String>(&mut odd, STORED), format!("[{ENTRY}]"));
}

#[test]
fn each_statement_adds_to_the_list_that_is_stored_now() {
    let database = PRELOADED.database();
    let urls = [SUPABASE, "https://b.supabase.co", "https://c.supabase.co/auth/v1"];
    let all = urls.map(|url| gexec(url, "{}")).join("\n");
    assert_eq!(psql(&PRELOADED, &database, &all, "sql"), "");
    let mut client = PRELOADED.connect(&database, "postgres", "");
    let issuers = "select string_agg(issuer, ' ' order by provider) from auth.providers()";
    assert_eq!(
        one::<String>(&mut client, issuers),
        "https://a.supabase.co/auth/v1 https://b.supabase.co/auth/v1 https://c.supabase.co/auth/v1"
    );
    // Again: nothing is added, and a row says why.
    let before: String = one(&mut client, STORED);
    assert_eq!(psql(&PRELOADED, &database, &all, "sql"), "");
    assert_eq!(one::<String>(&mut client, STORED), before);
    let row = "select statement is null, note from auth.provider_settings('https://b.supabase.co')";
    let row = client.query_one(row, &[]).unwrap();
    assert!(row.get::<_, bool>(0));
    let note: String = row.get(1);
    assert!(
        note.starts_with("Provider 2 of the list accepts such tokens already, so there is no statement. While"),
        "{note}"
    );
}

#[test]
fn two_forms_of_the_issuer_are_two_entries() {
    let database = PRELOADED.database();
    let mut client = PRELOADED.connect(&database, "postgres", "");
    psql(
        &PRELOADED,
        &database,
        &gexec("https://api.workos.com/sso/jwks/client_1", "{}"),
        "sql",
    );
    let issuers = format!("select string_agg(e->>'issuer', ' ') from jsonb_array_elements(({STORED})::jsonb) e");
    assert_eq!(
        one::<String>(&mut client, &issuers),
        "https://api.workos.com/user_management/client_1 https://api.workos.com"
    );
}

#[test]
fn incomplete_statement_fails_and_changes_nothing() {
    let database = PRELOADED.database();
    let mut client = PRELOADED.connect(&database, "postgres", "");
    store(&mut client, &database, &format!("[{ENTRY}]"));
    let alter: String = one(&mut client, &statement("https://shop.auth0.com"));
    let error = client.batch_execute(&alter).unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(
        (error.code().code(), error.message(), error.detail()),
        (
            "22023",
            "invalid list of providers",
            Some("Provider 2 has the placeholder \"<audience>\" in \"audience\": replace it.")
        )
    );
    let block = r"SELECT statement FROM auth.provider_settings('https://shop.auth0.com') \gexec";
    psql(&PRELOADED, &database, block, "sql error");
    assert_eq!(one::<String>(&mut client, STORED), format!("[{ENTRY}]"));
    let to_fill_in = "select to_fill_in::text from auth.provider_settings('https://shop.auth0.com')";
    assert_eq!(
        one::<String>(&mut client, to_fill_in),
        r#"{"audience": "the Identifier of your API in Auth0"}"#
    );
}

#[test]
fn list_of_the_servers_files_is_continued() {
    let servers = r#"[{"issuer": "https://s.example", "jwks_url": "https://s.example/keys"}]"#;
    let conf = format!("shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.providers = '{servers}'");
    let server = Server::start(&conf);
    let database = server.database();
    let mut client = server.connect(&database, "postgres", "");
    let both = format!("[{}, {ENTRY}]", &servers[1..servers.len() - 1]);
    let expected = format!("ALTER DATABASE {database} SET pg_session_jwt.providers = '{both}'");
    assert_eq!(one::<String>(&mut client, &statement(SUPABASE)), expected);
    // A value of the session does not count: it ends with the session.
    run(&mut client, "set pg_session_jwt.providers = ''");
    assert_eq!(one::<String>(&mut client, &statement(SUPABASE)), expected);
    // That of a role hides the server's, and an unknown list is not continued.
    run(
        &mut client,
        &format!(
            "create role {database}_own login superuser; alter role {database}_own set pg_session_jwt.providers = '[{ENTRY}]'"
        ),
    );
    let mut own = server.connect(&database, &format!("{database}_own"), "");
    let hidden = "list of providers of this database is not known in this session";
    rejects(&mut own, &statement(SUPABASE), "55000", hidden);
    // That of the database is in the catalog.
    run(&mut client, &expected);
    assert_eq!(rows(&mut own, &statement("https://b.supabase.co")).len(), 1);
    assert_eq!(rows(&mut own, &statement(SUPABASE)), [vec![None]]);
    // It was removed, so the server's applies again, which this session does not have.
    let mut later = server.connect(&database, "postgres", "");
    run(
        &mut later,
        &format!("alter database {database} reset pg_session_jwt.providers"),
    );
    rejects(&mut later, &statement(SUPABASE), "55000", hidden);
    let mut new = server.connect(&database, "postgres", "");
    assert_eq!(one::<String>(&mut new, &statement(SUPABASE)), expected);
}

#[test]
fn secrets_of_the_servers_files_do_not_get_into_a_statement() {
    let secret = r#"[{"issuer": "s", "jwks": {"keys": [{"kty": "oct", "alg": "HS256", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}}]"#;
    let conf = format!("shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.providers = '{secret}'");
    let server = Server::start(&conf);
    let mut client = server.connect("template1", "postgres", "");
    rejects(&mut client, &statement(SUPABASE), "22023", "invalid list of providers");
}

#[test]
fn statement_is_the_same_at_each_loading() {
    with_each_loading(|server, database, loading| {
        let mut client = server.connect(database, "postgres", "");
        let expected = format!("ALTER DATABASE {database} SET pg_session_jwt.providers = '[{ENTRY}]'");
        assert_eq!(one::<String>(&mut client, &statement(SUPABASE)), expected, "{loading}");
    });
}

#[test]
fn statement_is_ascii_in_each_encoding() {
    let database = PRELOADED.database_with("encoding 'LATIN1' template template0");
    let mut client = PRELOADED.connect(&database, "postgres", "");
    let ask = "select statement from auth.provider_settings('https://shop.auth0.com', '{\"audience\": \"ä\"}')";
    let alter: String = one(&mut client, ask);
    assert!(alter.contains(r#""audience": "\\u00e4""#), "{alter}");
    run(&mut client, &alter);
    let mut new = PRELOADED.connect(&database, "postgres", "");
    assert_eq!(
        one::<String>(&mut new, "select issuer from auth.providers()"),
        "https://shop.auth0.com/"
    );
}
