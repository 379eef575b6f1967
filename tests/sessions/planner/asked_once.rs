//! The number of catalog lookups of the rewrite does not grow with the number of sub-selects.

use testkit::server::SHARED;
use testkit::session::{one, run};

use super::support::{database, optimize, set_policy};

/// attack: 142
#[test]
fn a_function_is_looked_up_once_for_a_statement() {
    let mut client = SHARED.connect(&database(), "postgres", "");
    run(
        &mut client,
        "create function mine(text) returns boolean stable
             begin atomic select exists (select from notes n join todos t on t.id = n.todo where n.user_id = $1); end",
    );
    let one_of = |n: usize| {
        format!("(select mine(auth.user_id() || {n}::text) = is_public) or (select auth.user_id() = user_id)")
    };
    let form = (0..200).map(one_of).collect::<Vec<_>>().join(" or ");
    set_policy(&mut client, &form);
    run(
        &mut client,
        r#"set request.jwt.claims = '{"sub":"alice"}'; select auth.user_id()"#,
    );
    optimize(&mut client, true);
    // The first run fills the caches of the catalog.
    let explain = "explain select * from todos";
    run(
        &mut client,
        &format!("set role authenticated; {explain}; reset role; begin"),
    );
    let scans = "select coalesce(idx_scan, 0) from pg_stat_xact_sys_tables where relname = 'pg_depend'";
    let before = one::<i64>(&mut client, scans);
    run(&mut client, &format!("set local role authenticated; {explain}"));
    let asked = one::<i64>(&mut client, scans) - before;
    assert_eq!(
        asked, 1,
        "of the four hundred, only the reader could be this extension's"
    );
}
