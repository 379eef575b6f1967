//! docs/postgrest.md, with the statements that PostgREST sends: BEGIN, its settings in one SELECT, `db-pre-request`, the query.

use std::collections::HashMap;

use postgres::{Client, Error};
use testkit::guide::{PsqlSession, page};
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{rejection_of, rows, run};

const SETTINGS: &str = "select set_config('search_path', '\"public\"', true), set_config('role', $1, true),
    set_config('request.jwt.claims', $2, true), set_config('request.method', 'GET', true),
    set_config('request.path', '/todos', true), set_config('request.headers', $3, true), set_config('request.cookies', '{}', true)";

/// The tasks that a request with these headers gets, read only as PostgREST makes it for GET.
fn get(client: &mut Client, claims: &str, headers: &str) -> Result<Vec<String>, Error> {
    let mut transaction = client.build_transaction().read_only(true).start()?;
    transaction.execute(SETTINGS, &[&"anonymous", &claims, &headers])?;
    transaction.execute("select \"public\".\"present_token\"()", &[])?;
    let rows = transaction.query("select task from todos order by id", &[])?;
    transaction.commit()?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[test]
fn tokens_that_go_to_the_database() {
    let provider = Provider::new("https://id.example/");
    let server = Server::start(&format!(
        "shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.claims_fallback = off\n\
         pg_session_jwt.client_keys = off\npg_session_jwt.providers = '[{}]'",
        provider.entry(r#","roles":["authenticated"]"#)
    ));
    let database = server.database();
    let mut admin = server.connect(&database, "postgres", "");
    run(
        &mut admin,
        "create table todos (id bigint generated always as identity primary key, user_id text not null, task text not null);
         alter table todos enable row level security;
         create policy own_todos on todos to authenticated using ((select auth.user_id()) = user_id);
         grant select on todos to authenticated, anonymous;
         insert into todos (user_id, task) values ('alice', 'water the plants'), ('bob', 'read a book')",
    );
    let superuser = PsqlSession {
        server: &server,
        port: server.port(),
        user: "postgres",
        database: &database,
        options: "",
        variables: HashMap::new(),
    };
    for block in page("postgrest").iter().filter(|block| block.fence == "sql") {
        assert_eq!(superuser.runs(block), "");
    }
    let mut client = server.connect(&database, "authenticator", "");
    let headers = |token: &str| format!(r#"{{"host":"localhost","authorization":"Bearer {token}"}}"#);
    let forged = r#"{"sub":"alice","role":"authenticated"}"#;
    assert_eq!(
        get(&mut client, forged, &headers(&provider.token("alice"))).unwrap(),
        ["water the plants"]
    );
    assert_eq!(
        get(&mut client, forged, &headers(&provider.token("bob"))).unwrap(),
        ["read a book"]
    );
    assert_eq!(get(&mut client, forged, r#"{"host":"localhost"}"#).unwrap(), [""; 0]);
    let expired = provider.token_with(r#""sub":"alice","exp":1000000000"#);
    let rejection = rejection_of(&get(&mut client, forged, &headers(&expired)).unwrap_err());
    assert_eq!(
        [rejection.sqlstate.as_str(), rejection.message.as_str()],
        ["PT401", "Token used after it has expired"]
    );
    // Nothing stays in the session.
    let left = rows(&mut client, "select current_user, auth.user_id()");
    assert_eq!(left, [[Some("authenticator".to_owned()), None]]);
    let readable = rejection_of(&client.simple_query("select from todos").unwrap_err());
    assert_eq!(readable.sqlstate, "42501");
}
