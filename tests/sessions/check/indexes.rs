//! Comparisons of columns with the identity that no index can serve, and the index of the remedy: the plan uses it.

use testkit::session::{one, rows, run};

use crate::check::support::{Site, column, found, owned};

const TABLE: &str = "
    reset role; drop schema if exists app cascade; create schema app; set search_path = app, public; grant usage on schema app to authenticated;";

/// The plan of a query of alice's, in which a sequential scan is the last resort.
fn uses_index(site: &mut Site) -> bool {
    let client = &mut site.admin;
    run(
        client,
        "set pg_session_jwt.claims_fallback = on; set request.jwt.claims = '{\"sub\": \"2b0f62f5-2f4b-4a54-a0e6-cd13e2b0d6a1\", \"email\": \"a@b\"}';
         set enable_seqscan = off; set role authenticated",
    );
    let plan = rows(client, "explain (costs off) select id from docs");
    run(
        client,
        "reset role; reset request.jwt.claims; reset enable_seqscan; reset pg_session_jwt.claims_fallback",
    );
    let plan: Vec<String> = plan.into_iter().map(|row| row[0].clone().unwrap()).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("Index") || plan.contains("Seq Scan"), "{plan}");
    plan.contains("Index Cond")
}

fn make(site: &mut Site, definition: &str, using: &str, indexes: &str) {
    run(
        &mut site.admin,
        &format!(
            "{TABLE} create table docs (id int, {definition}); insert into docs select from generate_series(1, 100); analyze docs;
             alter table docs enable row level security; grant select on docs to authenticated;
             create policy p on docs for select to authenticated using ({using}); {indexes}"
        ),
    );
}

/// The column, the condition, an index that does not serve it, and the expression of the remedy.
const WITHOUT: &[(&str, &str, &str, &str)] = &[
    (
        "owner char(36)",
        "owner = auth.user_id()",
        "create index on docs (owner)",
        "((owner)::text)",
    ),
    (
        "owner char(36)",
        "(select auth.user_id()) = owner",
        "create index on docs (owner)",
        "((owner)::text)",
    ),
    (
        "owner uuid",
        "owner::text = auth.user_id()",
        "create index on docs (owner)",
        "((owner)::text)",
    ),
    (
        "owner uuid",
        "auth.user_id() = cast(owner as text)",
        "create index on docs (owner)",
        "((owner)::text)",
    ),
    (
        "owner uuid",
        "owner::text = (auth.session() ->> 'sub')",
        "create index on docs (owner)",
        "((owner)::text)",
    ),
    (
        "owner int",
        "owner::text = auth.user_id()",
        "create index on docs (owner)",
        "((owner)::text)",
    ),
    (
        "email text",
        "lower(email) = auth.email()",
        "create index on docs (email)",
        "lower(email)",
    ),
    (
        "email text",
        "lower(email) = lower(auth.email())",
        "create index on docs (upper(email))",
        "lower(email)",
    ),
    (
        "email varchar(80)",
        "lower(email) = (select auth.email())",
        "create index on docs (email)",
        "lower((email)::text)",
    ),
    (
        "\"My owner\" char(36)",
        "auth.user_id() = \"My owner\"",
        "create index on docs (\"My owner\")",
        "((\"My owner\")::text)",
    ),
    (
        "owner text",
        "owner = (auth.session() ->> 'sub')",
        "create index on docs (owner) where id > 0",
        "owner",
    ),
    (
        "owner text",
        "owner collate \"C\" = auth.user_id()",
        "create index on docs (owner)",
        "owner",
    ),
    (
        "owner text",
        "owner = any (array[auth.user_id()]) and owner = auth.user_id()",
        "create index on docs (owner text_pattern_ops) where id > 0",
        "owner",
    ),
];

#[test]
fn comparisons_that_no_index_serves() {
    let mut site = Site::new();
    for (definition, using, useless, expression) in WITHOUT {
        make(&mut site, definition, using, useless);
        assert!(!uses_index(&mut site), "{using}");
        let object = format!("app.docs ({expression})");
        assert_eq!(
            found(&mut site.admin),
            owned(&[("policy_column_without_index", &object)]),
            "{using}"
        );
        let remedy = column(&mut site.admin, "remedy", "policy_column_without_index");
        run(&mut site.admin, &remedy);
        assert!(uses_index(&mut site), "{using}: {remedy}");
        assert_eq!(found(&mut site.admin), [], "{using}: {remedy}");
    }
}

#[test]
fn comparisons_that_an_index_serves() {
    let mut site = Site::new();
    for (definition, using, index) in [
        ("owner text", "owner = auth.user_id()", "create index on docs (owner)"),
        (
            "owner text",
            "owner = auth.user_id()",
            "create index on docs using hash (owner)",
        ),
        (
            "owner text",
            "owner = auth.user_id()",
            "create index on docs (owner text_pattern_ops)",
        ),
        (
            "owner varchar(36)",
            "owner = auth.user_id()",
            "create index on docs (owner)",
        ),
        (
            "owner char(36)",
            "owner = auth.user_id()::char(36)",
            "create index on docs (owner)",
        ),
        ("owner uuid", "owner = auth.uid()", "create index on docs (owner)"),
        (
            "owner uuid",
            "owner = auth.user_id()::uuid",
            "create index on docs (owner)",
        ),
        (
            "owner uuid",
            "owner::text = auth.user_id()",
            "create index on docs ((owner::text))",
        ),
        (
            "email text",
            "lower(email) = auth.email()",
            "create index on docs (lower(email), id)",
        ),
        (
            "email text",
            "email = lower(auth.email())",
            "create index on docs (email)",
        ),
        (
            "owner text",
            "owner = (auth.session() ->> 'sub')",
            "create unique index on docs (owner, id)",
        ),
        (
            "owner text",
            "owner collate \"C\" = auth.user_id()",
            "create index on docs (owner collate \"C\")",
        ),
    ] {
        make(&mut site, definition, using, index);
        assert_eq!(found(&mut site.admin), [], "{using}, {index}");
        assert!(uses_index(&mut site), "{using}, {index}");
    }
    // No index on these is possible.
    for (definition, using) in [
        ("at timestamptz", "at::text = auth.user_id()"),
        ("owner text", "owner || '' = auth.user_id()"),
    ] {
        make(&mut site, definition, using, "");
        assert_eq!(found(&mut site.admin), [], "{using}");
    }
}

#[test]
fn a_uuid_column_needs_no_cast() {
    let mut site = Site::new();
    make(
        &mut site,
        "owner uuid",
        "owner::text = auth.user_id()",
        "create index on docs (owner)",
    );
    let problem = "A policy compares it with the identity, and no index begins with it: each query reads the whole table. \
                   A comparison of owner with auth.uid() needs no cast.";
    assert_eq!(
        column(&mut site.admin, "problem", "policy_column_without_index"),
        problem
    );
    run(&mut site.admin, "alter policy p on docs using (owner = auth.uid())");
    assert_eq!(found(&mut site.admin), []);
    assert!(uses_index(&mut site));
}

#[test]
fn a_citext_column_is_compared_as_text() {
    let mut site = Site::new();
    let is_there: bool = one(
        &mut site.admin,
        "select exists (select from pg_available_extensions where name = 'citext')",
    );
    if !is_there {
        return;
    }
    run(&mut site.admin, "create extension citext");
    make(
        &mut site,
        "email citext",
        "email = auth.email()",
        "create index on docs (email)",
    );
    assert!(!uses_index(&mut site));
    let expected = [("policy_column_without_index", "app.docs (((email)::text))")];
    assert_eq!(found(&mut site.admin), owned(&expected));
    let remedy = column(&mut site.admin, "remedy", "policy_column_without_index");
    run(&mut site.admin, &remedy);
    assert!(uses_index(&mut site));
    assert_eq!(found(&mut site.admin), []);
    make(
        &mut site,
        "email citext",
        "email = auth.email()::citext",
        "create index on docs (email)",
    );
    assert!(uses_index(&mut site));
    assert_eq!(found(&mut site.admin), []);
}
