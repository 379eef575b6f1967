//! Tables whose policies read the identity, and the plans of statements on them.

use std::sync::LazyLock;

use postgres::Client;

use testkit::server::{SHARED, Server};
use testkit::session::{one, rows, run};

/// How Drizzle's `authUid` and `crudPolicy` write it.
pub const DRIZZLE: &str = r#"(select auth.user_id() = "todos"."user_id")"#;

pub const ALICE: &str = "6f4d2f0a-5b7e-4c8e-9d51-0123456789ab";

/// A database on the shared server, with the tables of [`fill`]; copied, which is faster.
pub fn database() -> String {
    static FILLED: LazyLock<String> = LazyLock::new(|| {
        let database = SHARED.database();
        fill(&SHARED, &database);
        database
    });
    SHARED.database_with(&format!("template {}", *FILLED))
}

/// Makes 20,000 rows, every thousandth of them alice's, and as many notes about them.
pub fn fill(server: &Server, database: &str) {
    let mut client = server.connect(database, "postgres", "");
    run(
        &mut client,
        &format!(
            "create table todos (id int primary key, user_id text, owner uuid, is_public boolean, task text);
             insert into todos select i, u, u, i % 1000 = 1, 'task ' || i from generate_series(1, 20000) i,
                 lateral (select case i % 1000 when 0 then '{ALICE}' else md5(i::text)::uuid end) v (u);
             create index on todos (user_id);
             create index on todos (owner);
             create index on todos (is_public);
             create table notes (id int primary key, todo int, user_id text);
             insert into notes select id, id, user_id from todos;
             create index on notes (todo);
             create index on notes (user_id);
             analyze todos, notes;
             alter table todos enable row level security;
             grant all on todos, notes to authenticated"
        ),
    );
}

/// Gives all commands on the table this one policy.
pub fn set_policy(client: &mut Client, form: &str) {
    run(
        client,
        &format!(
            "reset role; drop policy if exists own on todos;
             create policy own on todos to authenticated using ({form}) with check ({form});
             set role authenticated"
        ),
    );
}

/// A session of alice, by claims, on such a table.
pub fn session(form: &str) -> Client {
    let mut client = SHARED.connect(&database(), "postgres", "");
    set_policy(&mut client, form);
    run(
        &mut client,
        &format!(r#"set request.jwt.claims = '{{"sub":"{ALICE}"}}'"#),
    );
    client
}

pub fn optimize(client: &mut Client, on: bool) {
    run(client, &format!("set pg_session_jwt.optimize_policies = {on}"));
}

pub fn plan(client: &mut Client, sql: &str) -> String {
    let lines = rows(client, &format!("explain (costs off) {sql}")).concat();
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// Whether a plan looks up its rows in the index of the owner.
pub fn uses_index(plan: &str) -> bool {
    let mut conditions = plan
        .lines()
        .filter(|line| line.trim_start().starts_with("Index Cond: "));
    conditions.any(|line| line.contains("user_id = ") || line.contains("owner = "))
}

pub fn has_sub_plan(plan: &str) -> bool {
    plan.contains("SubPlan")
}

/// The rows that a statement returns in a separate transaction, which is rolled back; after a write, also the rows of the
/// table.
pub fn outcome(client: &mut Client, sql: &str) -> [Vec<Vec<Option<String>>>; 2] {
    run(client, "begin");
    let mut returned = rows(client, sql);
    returned.sort();
    let mut left = Vec::new();
    if !sql.starts_with("select") {
        run(client, "reset role");
        left = rows(client, "select count(*), sum(hashtext(t::text)) from todos t");
    }
    run(client, "rollback");
    [returned, left]
}

/// Asserts that a statement uses the index with the rewrite and not without, and does the same.
#[track_caller]
pub fn improves(client: &mut Client, sql: &str) {
    let optimized = improves_plan(client, sql);
    assert!(uses_index(&optimized), "{sql}\n{optimized}");
}

/// Asserts that a statement has no sub-plan with the rewrite, has one without, and does the same.
#[track_caller]
pub fn improves_plan(client: &mut Client, sql: &str) -> String {
    optimize(client, false);
    let literal = plan(client, sql);
    assert!(has_sub_plan(&literal), "{sql}\n{literal}");
    let expected = outcome(client, sql);
    optimize(client, true);
    let optimized = plan(client, sql);
    assert!(!has_sub_plan(&optimized), "{sql}\n{optimized}");
    assert_eq!(outcome(client, sql), expected, "{sql}");
    optimized
}

/// How often the table was read whole and by an index, in the transaction that is open.
pub fn scans(client: &mut Client) -> (i64, i64) {
    let count = |column| format!("select {column} from pg_stat_xact_user_tables where relname = 'todos'");
    (one(client, &count("seq_scan")), one(client, &count("idx_scan")))
}
