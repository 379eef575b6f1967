//! A token for the transaction, presented where the transaction ends with the call: PostgreSQL warns, as it does for SET LOCAL.

use std::sync::{Arc, Mutex};

use postgres::{Client, NoTls};
use testkit::messages;
use testkit::provider::{Provider, database};
use testkit::server::SHARED;
use testkit::session::{run, user_id};

/// A session, and the SQLSTATE and message of each notice that it gets.
struct Session {
    client: Client,
    notices: Arc<Mutex<Vec<(String, String)>>>,
}

impl Session {
    fn new(provider: &Provider) -> Session {
        let notices = Arc::new(Mutex::new(Vec::new()));
        let sink = notices.clone();
        let mut config = postgres::Config::new();
        config.host("127.0.0.1").port(SHARED.port()).user("postgres");
        config
            .dbname(&database(&[provider.entry("")]))
            .notice_callback(move |notice| {
                let told = (notice.code().code().to_owned(), notice.message().to_owned());
                sink.lock().unwrap().push(told);
            });
        let client = config.connect(NoTls).unwrap();
        Session { client, notices }
    }

    /// The notices since the last call.
    fn notices(&mut self) -> Vec<(String, String)> {
        run(&mut self.client, "");
        std::mem::take(&mut self.notices.lock().unwrap())
    }

    #[track_caller]
    fn warns(&mut self, sql: &str, times: usize) {
        run(&mut self.client, sql);
        let warning = ("25P01".to_owned(), messages::OUTSIDE_BLOCK.to_owned());
        assert_eq!(self.notices(), vec![warning; times], "{sql:.100}");
        assert_eq!(user_id(&mut self.client), None);
    }
}

#[test]
fn a_call_outside_a_transaction_block_warns_once_for_each_statement() {
    let provider = Provider::new("a");
    let mut session = Session::new(&provider);
    let token = provider.token("alice");
    let call = format!("auth.jwt_session_init('{token}', true)");
    for sql in [
        format!("select {call}"),
        format!("select from {call}"),
        format!("select {call} from generate_series(1, 50)"),
        format!("with called as materialized (select {call}) select * from called"),
    ] {
        session.warns(&sql, 1);
        session.warns(&sql, 1);
    }
    let bound = "select auth.jwt_session_init($1, true)";
    session.client.execute(bound, &[&token]).unwrap();
    assert_eq!(session.notices().len(), 1);
}

#[test]
fn a_call_that_can_have_an_effect_does_not_warn() {
    let provider = Provider::new("a");
    let mut session = Session::new(&provider);
    let token = provider.token("alice");
    let call = format!("auth.jwt_session_init('{token}', true)");
    run(
        &mut session.client,
        "create function pg_temp.become(token text) returns text language plpgsql as
             'begin perform auth.jwt_session_init(token, true); return auth.user_id(); end';
         create function pg_temp.become_in_sql(token text) returns text language sql as
             'select auth.jwt_session_init(token, true); select auth.user_id()'",
    );
    for sql in [
        format!("begin; select {call}; commit"),
        format!("begin; savepoint s; select {call}; commit"),
        format!("select {call}; select auth.user_id()"),
        format!("do $$ begin perform {call}; end $$"),
        format!("select pg_temp.become('{token}')"),
        format!("select pg_temp.become_in_sql('{token}')"),
        format!("select {call}, (select count(*) from pg_class)"),
        // The second function could read what the first one has set.
        format!("select {call}, auth.user_id()"),
        format!("create temp table made as select {call} is null as called"),
        format!("explain analyze select {call}"),
    ] {
        session.warns(&sql, 0);
    }
    run(&mut session.client, "begin");
    let bound = "select auth.jwt_session_init($1, true)";
    session.client.execute(bound, &[&token]).unwrap();
    run(&mut session.client, "commit");
    run(
        &mut session.client,
        &format!("select auth.jwt_session_init('{token}', false)"),
    );
    assert_eq!(user_id(&mut session.client).as_deref(), Some("alice"));
    assert_eq!(session.notices(), []);
}
