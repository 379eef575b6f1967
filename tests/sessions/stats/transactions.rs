//! Errors and rollbacks: what was counted stays counted.

use testkit::session::run;

use super::support::Site;

#[test]
fn rollbacks_take_nothing_away_and_count_nothing() {
    let site = Site::new();
    let mut client = site.session();
    let [alice, bob] = ["alice", "bob"].map(|user| site.a.token(user));
    run(
        &mut client,
        &format!(
            "begin; select auth.jwt_session_init('{alice}', true);
             savepoint s; set local pg_session_jwt.jwt = '{bob}'; rollback to s;
             savepoint t; set pg_session_jwt.jwt = '{bob}'; release t; rollback"
        ),
    );
    let expected = [
        "https://a.example/ accepted new 2",
        "https://a.example/ accepted repeated_here 1",
    ];
    assert_eq!(site.counted(), expected);
}

#[test]
fn failing_statements_and_blocks_are_counted_once() {
    let site = Site::new();
    let mut client = site.session();
    let alice = site.a.token("alice");
    // The statement fails after it has set the token.
    let fails = format!("select set_config('pg_session_jwt.jwt', '{alice}', false), 1 / (length(auth.user_id()) - 5)");
    client.batch_execute(&fails).unwrap_err();
    assert_eq!(site.counted(), ["https://a.example/ accepted new 1"]);
    run(
        &mut client,
        &format!(
            "do $$ begin
                 for i in 1..3 loop
                     begin
                         perform auth.jwt_session_init('x');
                     exception when others then
                         perform auth.jwt_session_init('{alice}');
                     end;
                 end loop;
             end $$"
        ),
    );
    let failed = format!("begin; set local pg_session_jwt.jwt = '{alice}'; select 1 / 0");
    client.batch_execute(&failed).unwrap_err();
    // An aborted transaction executes no SET.
    client.batch_execute("set pg_session_jwt.jwt = 'x'").unwrap_err();
    run(&mut client, "rollback");
    let expected = [
        "https://a.example/ accepted new 1",
        "https://a.example/ accepted repeated_here 4",
        "- rejected form 3",
    ];
    assert_eq!(site.counted(), expected);
}
