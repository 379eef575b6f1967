//! What a function of the user depends on is nobody's concern when a query is planned, however often it is called.

use crate::session::{one, run};

use super::{optimize, session};

#[test]
fn planning_does_not_look_at_dependencies_again_and_again() {
    let mut client = session("true");
    let columns = |form: &str, between: &str| {
        (0..200)
            .map(|i| form.replace('$', &i.to_string()))
            .collect::<Vec<_>>()
            .join(between)
    };
    run(
        &mut client,
        &format!(
            "reset role; create table wide ({});
             create function own(text) returns text stable language sql
                 begin atomic select case when count(*) >= 0 then $1 end from wide where ({}) is null; end;
             grant select on wide to authenticated",
            columns("c$ int", ","),
            columns("c$", "+"),
        ),
    );
    let condition = vec!["(select auth.user_id() = own(user_id))"; 400].join(" or ");
    run(
        &mut client,
        &format!(
            "create policy many on notes using ({condition}); alter table notes enable row level security; set role authenticated"
        ),
    );
    optimize(&mut client, true);
    // Once, so that what is read of a catalog only once in a session is not counted.
    run(&mut client, "explain select from notes");
    run(&mut client, "begin");
    let looked = "select idx_scan || ' ' || idx_tup_fetch from pg_stat_xact_sys_tables where relname = 'pg_depend'";
    let count = |text: String| text.split(' ').map(|n| n.parse::<i64>().unwrap()).collect::<Vec<_>>();
    let before = count(one(&mut client, looked));
    run(&mut client, "explain select from notes");
    let after = count(one(&mut client, looked));
    // One look for each of two functions is what there may be.
    let grown: Vec<i64> = after
        .iter()
        .zip(&before)
        .map(|(after, before)| after - before)
        .collect();
    assert!(
        grown[0] <= 2 && grown[1] <= 20,
        "scans and rows of pg_depend: {grown:?}"
    );
}
