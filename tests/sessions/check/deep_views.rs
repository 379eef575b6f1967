//! auth.check() and views over views: up to 500 levels, in time that grows in proportion to the views.

use postgres::Client;
use testkit::session::{rows, run};

use crate::check::support::{Site, found, owned};

/// The views `v<first>` to `v<last>`, each over the one before.
fn add(client: &mut Client, first: usize, last: usize) {
    // In several statements: each view needs a lock until its transaction ends.
    for first in (first..=last).step_by(500) {
        let last = last.min(first + 499);
        run(
            client,
            &format!(
                "do $$ begin for i in {first}..{last} loop
                     execute format('create view v%s as select * from v%s where auth.user_id() = owner', i, i - 1);
                 end loop; end $$"
            ),
        );
    }
    run(
        client,
        "grant select on all tables in schema public to authenticated; revoke select on t from authenticated",
    );
}

fn site() -> Site {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create table t (id int, owner text); create view v0 as select * from t where auth.user_id() = owner",
    );
    site
}

/// The findings with their numbers of rows.
fn counts(client: &mut Client) -> Vec<String> {
    let all = "select finding || ' ' || count(*) from auth.check() group by finding order by 1";
    rows(client, all).into_iter().flatten().flatten().collect()
}

const AT_LIMIT: &str = "view_without_barrier 500";

/// attack: 142
#[test]
fn views_at_the_limit_of_levels_and_over_it() {
    let mut site = site();
    let client = &mut site.admin;
    add(client, 1, 499);
    assert_eq!(counts(client), [AT_LIMIT]);
    add(client, 500, 500);
    assert_eq!(counts(client), ["not_checked 1", AT_LIMIT]);
    let row = "select object || ': ' || problem from auth.check() where finding = 'not_checked'";
    let problem =
        "public.v500: It is nested in more than 500 levels of views, so neither it nor a view over it is inspected.";
    assert_eq!(rows(client, row), [[Some(problem.to_owned())]]);
    // Views in a few transactions, as the time limit is for all of them.
    add(client, 501, 8000);
    run(client, "set statement_timeout = '30s'");
    assert_eq!(counts(client), ["not_checked 1", AT_LIMIT]);
    // Each of them may be accessed without those below it.
    run(
        client,
        "revoke select on all tables in schema public from authenticated; grant select on v8000 to authenticated",
    );
    assert_eq!(found(client), owned(&[("not_checked", "public.v500")]));
    cancelled_at_any_moment(client);
}

fn cancelled_at_any_moment(client: &mut Client) {
    let mut cancelled = 0;
    for milliseconds in std::iter::successors(Some(1), |before| Some(before + before / 3 + 1)) {
        // In one message, which an error rolls back: alone, the next SET could be cancelled by the timeout of the one before.
        let check = format!("set statement_timeout = {milliseconds}; select from auth.check()");
        let Err(error) = client.batch_execute(&check) else {
            break;
        };
        assert_eq!(error.as_db_error().unwrap().code().code(), "57014");
        cancelled += 1;
    }
    assert!(cancelled > 0);
}

/// PostgreSQL rejects each query of such a view (42P17).
///
/// attack: 142
#[test]
fn views_that_read_each_other_in_a_circle() {
    let mut site = site();
    let client = &mut site.admin;
    run(client, "set statement_timeout = '30s'");
    let close = |client: &mut Client, last: usize| {
        run(
            client,
            &format!("create or replace view v0 as select v.* from v{last} v, t where auth.user_id() = t.owner"),
        );
    };
    add(client, 1, 2);
    close(client, 2);
    let each = ["v0", "v1", "v2"].map(|view| format!("public.{view}"));
    let expected: Vec<_> = each
        .iter()
        .map(|view| ("view_without_barrier", view.as_str()))
        .collect();
    assert_eq!(found(client), owned(&expected));
    let error = client.batch_execute("select from v1").unwrap_err();
    assert_eq!(error.as_db_error().unwrap().code().code(), "42P17");
    add(client, 3, 499);
    close(client, 499);
    assert_eq!(counts(client), [AT_LIMIT]);
    add(client, 500, 500);
    close(client, 500);
    assert_eq!(found(client), owned(&[("not_checked", "public.v0")]));
}
