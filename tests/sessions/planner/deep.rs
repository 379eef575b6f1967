//! Conditions that are deep or long: no crash, and PostgreSQL's own limit is the same with the rewrite and without.

use postgres::Client;
use testkit::session::{Rejection, one, rejection_of};

use super::support::{DRIZZLE, optimize, session};

const OWN: &str = "(select auth.user_id() = user_id)";

/// The number of rows that meet a condition, or the error.
fn count(client: &mut Client, condition: &str) -> Result<i64, Rejection> {
    let sql = format!("select count(*) from todos where {condition}");
    let rows = client.query_one(&sql, &[]);
    rows.map(|row| row.get(0)).map_err(|error| rejection_of(&error))
}

/// Asserts that both ways have the same outcome: this number of rows, or that the stack is not deep enough.
#[track_caller]
fn agrees(client: &mut Client, condition: &str, expected: i64) -> bool {
    let both = [true, false].map(|on| {
        optimize(client, on);
        count(client, condition)
    });
    let beginning = &condition[..condition.len().min(100)];
    assert_eq!(both[0], both[1], "{beginning}");
    match &both[0] {
        Ok(rows) => assert_eq!(*rows, expected, "{beginning}"),
        Err(rejection) => assert_eq!(rejection.sqlstate, "54001", "{beginning}: {rejection:?}"),
    }
    assert_eq!(one::<i64>(client, "select count(*) from todos"), 20);
    both[0].is_ok()
}

#[test]
fn deep_conditions_are_planned_or_too_deep_in_both_ways() {
    let mut client = session(DRIZZLE);
    // PostgreSQL's parser takes some 3,000 levels of brackets.
    for depth in [10, 100, 1000, 2000] {
        let fine = [
            ("(", ")"),
            ("not not (", ")"),
            ("coalesce(", ", false)"),
            ("case when ", " then true else false end"),
        ]
        .map(|(before, after)| {
            let condition = format!("{}{OWN}{}", before.repeat(depth), after.repeat(depth));
            agrees(&mut client, &condition, 20)
        });
        assert!(depth > 100 || fine == [true; 4], "{depth}: {fine:?}");
    }
    for depth in [10, 100, 1000, 10_000, 50_000] {
        let fine = agrees(&mut client, &format!("{OWN}{}", "::text::boolean".repeat(depth)), 20);
        assert!(fine == (depth < 10_000), "{depth}");
    }
}

#[test]
fn deep_sub_selects_are_planned_or_too_deep_in_both_ways() {
    let mut client = session(DRIZZLE);
    for depth in [10, 100, 300] {
        let condition = format!(
            "{}{OWN}{}",
            "(select is_public is not null and ".repeat(depth),
            ")".repeat(depth)
        );
        let fine = agrees(&mut client, &condition, 20);
        assert!(fine || depth > 100, "{depth}");
    }
}

#[test]
fn sub_select_expressions_are_too_deep_in_both_ways_or_neither() {
    let mut client = session(DRIZZLE);
    for depth in [10, 100, 1000, 10_000, 50_000] {
        let expression = format!("auth.user_id(){}", " || ''".repeat(depth));
        let fine = agrees(&mut client, &format!("(select {expression} = user_id)"), 20);
        assert!(fine == (depth < 10_000), "{depth}");
    }
}

#[test]
fn a_thousand_sub_selects_are_a_condition_like_any_other() {
    let mut client = session(DRIZZLE);
    for (operator, own) in [
        (" or ", OWN),
        (" and ", OWN),
        (" or ", "not (select auth.user_id() <> user_id)"),
    ] {
        assert!(agrees(&mut client, &[own; 1000].join(operator), 20));
    }
    let different: Vec<String> = (0..1000)
        .map(|n| format!("(select auth.user_id() || '' = user_id and id > {n})"))
        .collect();
    assert!(agrees(&mut client, &different.join(" or "), 20));
}
