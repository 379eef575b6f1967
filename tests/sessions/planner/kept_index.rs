//! The forms that must keep their index: those of Drizzle's `authUid` and `crudPolicy`, of Supabase's documentation and of
//! the guides, on columns of each type.

use postgres::Client;
use testkit::server::SHARED;
use testkit::session::{one, rows, run};

use super::support::{ALICE, database, has_sub_plan, optimize, plan, set_policy};

/// With a column of type text, varchar and uuid.
const INDEXED: [&str; 15] = [
    "(select auth.user_id() = user_id)",
    "(select auth.user_id() = \"todos\".\"user_id\")",
    "(select user_id = auth.user_id())",
    "(select auth.user_id() = name)",
    "(select name = auth.user_id())",
    "(select auth.uid() = owner)",
    "(select owner = auth.uid())",
    "(select auth.uid()::text = user_id)",
    "(select auth.uid()) = owner",
    "owner = (select auth.uid())",
    "(select auth.user_id()) = user_id",
    "(select auth.user_id()) = name",
    "auth.user_id() = user_id",
    "auth.uid() = owner",
    "user_id = any (array[(select auth.user_id()), 'absent'])",
];

/// No index can serve these, and no sub-plan runs for each row either.
const WITHOUT_SUB_PLAN: [&str; 4] = [
    "(select auth.user_id() = owner::text)",
    "(select auth.user_id() = id::text)",
    "(select auth.user_id() is distinct from user_id)",
    "(select auth.user_id() <> user_id)",
];

fn client() -> Client {
    let mut client = SHARED.connect(&database(), "postgres", "");
    run(
        &mut client,
        &format!(
            r#"alter table todos add name varchar(40); update todos set name = user_id; create index on todos (name);
               analyze todos; set request.jwt.claims = '{{"sub":"{ALICE}"}}'; select auth.user_id()"#
        ),
    );
    client
}

#[test]
fn the_forms_of_guides_and_clients_keep_their_index() {
    let mut client = client();
    for form in INDEXED {
        set_policy(&mut client, form);
        optimize(&mut client, true);
        for sql in [
            "select id from todos",
            "update todos set task = 'new' returning id",
            "delete from todos returning id",
        ] {
            let plan = plan(&mut client, sql);
            assert!(
                plan.contains("Index Cond: ") && !has_sub_plan(&plan),
                "{form}\n{sql}\n{plan}"
            );
            assert_eq!(
                rows(&mut client, &format!("begin; {sql}; rollback")).len(),
                20,
                "{form}\n{sql}"
            );
        }
    }
}

#[test]
fn what_no_index_serves_has_no_sub_plan() {
    let mut client = client();
    for form in WITHOUT_SUB_PLAN {
        let sql = format!("select count(*) from todos where {form}");
        let counts = [false, true].map(|on| {
            optimize(&mut client, on);
            one::<i64>(&mut client, &sql)
        });
        assert_eq!(counts[0], counts[1], "{form}");
        let plan = plan(&mut client, &sql);
        assert!(!has_sub_plan(&plan), "{form}\n{plan}");
    }
}
