//! Conditions of a policy, one by one: those that favour anonymous sessions, those that do not, and the rest.
//!
//! Each condition is one test; all tests use one database in turn.

use std::sync::{LazyLock, Mutex};

use rstest::rstest;

use testkit::server::{Server, major};
use testkit::session::run;

use crate::check::policies::{TABLES, WITHOUT_POLICY, assert_found};
use crate::check::support::{found, owned, set_up, start};

/// The server of these tests, whose database is set up like that of the README.
static SERVER: LazyLock<Mutex<Server>> = LazyLock::new(|| {
    let server = start();
    let mut admin = set_up(&server);
    run(&mut admin, TABLES);
    assert_eq!(found(&mut admin), owned(&WITHOUT_POLICY));
    Mutex::new(server)
});

macro_rules! conditions {
    ($table:ident, $test:ident, $findings:expr, [$($using:literal,)*]) => {
        pub const $table: &[&str] = &[$($using),*];

        conditions!($test, $findings, [$($using,)*]);
    };
    ($test:ident, $findings:expr, [$($using:literal,)*]) => {
        #[rstest]
        $(#[case($using)])*
        fn $test(#[case] using: &str) {
            let server = SERVER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let mut admin = server.connect("site", "postgres", "");
            let policy = format!("for select to authenticated using ({using})");
            assert_found(&mut admin, &policy, $findings);
        }
    };
}

// Conditions that can be true in an anonymous session and not for every user.
conditions!(
    OPEN,
    policies_that_favour_anonymous_sessions_are_found,
    &["policy_open_without_identity"],
    [
        "auth.user_id() is null or auth.user_id() = owner",
        "auth.user_id() is null",
        "(select auth.user_id()) is null or is_public",
        "(select auth.user_id() is null or auth.user_id() = docs.owner)",
        "coalesce(auth.user_id(), 'u1') = owner",
        "coalesce(auth.jwt() -> 'app', '{\"role\": \"admin\"}') ->> 'role' = 'admin'",
        "coalesce(auth.jwt() -> 'app', '{\"role\": \"admin\"}') @> '{\"role\": \"admin\"}'",
        "coalesce(auth.jwt() -> 'roles', '[\"admin\"]') ? 'admin'",
        "owner = any (coalesce(string_to_array(auth.user_id(), ','), '{u1}'))",
        "owner <> all (coalesce(string_to_array(auth.user_id(), ','), '{}'))",
        "(auth.user_id() is null) = true",
        "coalesce(auth.user_id() = owner, true)",
        // Another user does not see the public rows, an anonymous session does.
        "coalesce(auth.user_id() = owner, is_public)",
        "auth.user_id() is not distinct from owner",
        "owner is not distinct from (select auth.user_id())",
        "auth.user_id() is distinct from owner",
        "auth.uid() is not distinct from owner_id",
        "auth.email() is null",
        "auth.role() is distinct from 'banned'",
        "auth.organization_id() is null",
        "auth.organization() is null",
        "auth.session() ->> 'sub' is null",
        "(auth.jwt() ->> 'sub') is not distinct from owner",
        "auth.session() is not null",
        "auth.session() = 'null'",
        "not (auth.user_id() is not null)",
        "(auth.user_id() = owner) is not false",
        "(auth.user_id() = owner) is unknown",
        "not coalesce(auth.user_id() <> owner, false)",
        "case when auth.user_id() is null then true else auth.user_id() = owner end",
        "case auth.role() when 'admin' then true when 'banned' then false else true end",
        "concat(auth.user_id(), '') = owner",
        "greatest(auth.user_id(), owner) = owner",
        "exists (select from members m where m.user_id is not distinct from auth.user_id())",
        "exists (select from members m where m.team = docs.team and (auth.user_id() is null or m.user_id = auth.user_id()))",
        "team not in (select m.team from members m where m.user_id = auth.user_id())",
        "not exists (select from members m where m.user_id = auth.user_id())",
        "(select coalesce(auth.user_id(), owner)) = owner",
        "nullif(auth.user_id(), owner) is null",
        "owner not in (select jsonb_array_elements_text(auth.session() -> 'blocked'))",
        "owner <> all (array(select jsonb_array_elements_text(auth.session() -> 'blocked')))",
        "exists (select from (select auth.user_id() as id) me where me.id is null or me.id = owner)",
        "exists (select from (select coalesce(auth.user_id(), 'u1') as id) me where me.id = owner)",
        "(select me.ok from (select auth.user_id() is null or auth.user_id() = owner as ok) me)",
        "exists (with me as (select auth.user_id() as id), it as (select me.id from me) select from it where it.id is null)",
    ]
);

// Conditions that cannot.
conditions!(
    CLOSED,
    policies_that_null_does_not_satisfy_are_not_found,
    &[],
    [
        "auth.user_id() = owner",
        "(select auth.user_id()) = owner",
        "(select auth.user_id() = owner)",
        "(select auth.user_id() = docs.owner)",
        "auth.uid() = owner_id",
        "auth.user_id() = owner::varchar",
        "auth.user_id() <> owner",
        "not (auth.user_id() = owner)",
        "auth.user_id() is not null",
        "auth.user_id() is not null and is_public",
        "auth.user_id() is not null and auth.user_id() is distinct from owner",
        "is_public or auth.user_id() = owner",
        "is_public or auth.user_id() is not null",
        "case when auth.user_id() is null then is_public else is_public or auth.user_id() = owner end",
        "case when auth.user_id() is null then false else auth.user_id() = owner end",
        "case auth.role() when 'admin' then true else false end",
        "coalesce(auth.user_id() = owner, false)",
        "coalesce(auth.session(), '{}') ->> 'sub' = owner",
        "auth.user_id() = owner or coalesce(auth.jwt() -> 'app', '{}') ->> 'role' = 'admin'",
        "auth.user_id() = owner or coalesce(auth.jwt() -> 'app', '{\"role\": \"user\"}') ->> 'role' = 'admin'",
        "auth.user_id() = owner or coalesce(auth.jwt(), '{}') #>> '{app,role}' = 'admin'",
        "auth.user_id() = owner or coalesce(auth.jwt() -> 'app', '{}') @> '{\"role\": \"admin\"}'",
        "auth.user_id() = owner or '{\"role\": \"admin\"}' <@ coalesce(auth.jwt() -> 'app', '{}')",
        "auth.user_id() = owner or coalesce(auth.jwt() -> 'app' -> 'roles', '[]') ? 'admin'",
        "auth.user_id() = owner or coalesce(auth.jwt() -> 'app' -> 'roles', '[\"user\"]') ? 'admin'",
        "auth.user_id() = owner or coalesce(auth.jwt() -> 'app' -> 'roles', '[]') @> '[\"admin\"]'",
        "(auth.user_id() = owner) is true",
        "(auth.session() ->> 'sub') = owner",
        "auth.session() -> 'roles' ? 'admin'",
        "(auth.jwt() #>> '{app,role}') = 'admin'",
        "(auth.session())['app']['role'] = '\"admin\"'",
        "((auth.session() ->> 'admin')::bool)",
        "auth.session() <> 'null'",
        "auth.session() @> '{\"admin\": true}'",
        "auth.session() ? 'admin'",
        "auth.email() like '%@example.com'",
        "auth.user_id() = any (members)",
        "auth.user_id() <> all (members)",
        "owner = any (array[auth.user_id(), auth.email()])",
        "auth.role() in ('admin', 'editor')",
        "members @> array[auth.user_id()]",
        "array[auth.user_id(), 'x'] <@ members",
        "members && array[auth.user_id(), 'all']",
        "note @> to_jsonb(auth.user_id())",
        "note ? auth.user_id()",
        "(auth.user_id(), team) = (owner, 1)",
        "(owner, team) in (select m.user_id, m.team from members m where m.user_id = auth.user_id())",
        "auth.user_id()::uuid = owner_id",
        "jsonb_path_query_first(auth.session(), '$.sub') #>> '{}' = owner",
        "auth.session() @? '$.roles[*] ? (@ == \"admin\")'",
        "exists (select from members m where m.team = docs.team and m.user_id = auth.user_id())",
        "exists (select from members m where m.team = docs.team and (m.is_public or m.user_id = auth.user_id()))",
        "team in (select m.team from members m where m.user_id = auth.user_id())",
        "team in (select m.team from members m where m.is_public or m.user_id = auth.user_id())",
        "auth.user_id() in (select m.user_id from members m where m.team = docs.team)",
        "team = any (array(select m.team from members m where m.user_id = auth.user_id()))",
        "exists (select from jsonb_array_elements_text(auth.session() -> 'teams') t where t = owner)",
        "owner in (select jsonb_array_elements_text(auth.session() -> 'friends'))",
        "owner = any (array(select jsonb_array_elements_text(auth.session() -> 'friends')))",
        "(select m.user_id from members m where m.team = docs.team limit 1) = auth.user_id()",
        "(select m.is_public or m.user_id = auth.user_id() from members m where m.team = docs.team limit 1)",
        "exists (select from (select auth.user_id() as id) me where me.id = owner)",
        "exists (with me as (select auth.user_id() as id) select from me where me.id = owner)",
        "(select me.id from (select auth.user_id() as id) me) = owner",
        "(with me as (select auth.user_id() as id where auth.user_id() is not null) select me.id from me) = owner",
        "exists (select from lateral (select auth.user_id() = owner as ok) me where me.ok)",
        "exists (select from members m join (select auth.user_id() as id) me on m.user_id = me.id where m.team = docs.team)",
        "owner = any (string_to_array(auth.user_id(), ','))",
        "owner = any (string_to_array(auth.jwt() ->> 'friends', ',', ''))",
        "owner = any (coalesce(string_to_array(auth.user_id(), ','), '{}'))",
        "owner = (string_to_array(auth.user_id(), ','))[1]",
        "owner in (select unnest(string_to_array(auth.user_id(), ',')))",
        "members @> string_to_array(auth.user_id(), ',')",
        "(auth.user_id() = owner) = true",
        "strict(auth.user_id(), id)",
        "lax(auth.user_id(), id) and auth.user_id() is not null",
        "auth.user_id() = owner or auth.role() = 'admin'",
        "id = length(auth.user_id())",
        "false",
        "is_public",
        "current_user = 'x'",
        "current_setting('server_version') = owner",
    ]
);

// Conditions that do not depend on the row.
conditions!(
    sub_selects_that_do_not_depend_on_the_row_are_found,
    &["policy_read_any_member"],
    [
        "exists (select from members m join members d on d.team = m.team and m.user_id = (select auth.user_id()))",
        "exists (select from members m where m.team = team and m.user_id = auth.user_id())",
        "auth.user_id() = owner or exists (select from members m where m.user_id = auth.user_id())",
        "(select count(*) from members m where m.user_id = auth.user_id()) > 0",
        "exists (select from members m left join jsonb_array_elements_text(auth.session() -> 'teams') t on true)",
    ]
);

// Conditions of which the checker cannot say either.
conditions!(
    undecided_policies_are_reported,
    &["policy_undecided"],
    [
        "lax(auth.user_id(), id)",
        "array_position(members, auth.user_id()) is not null",
        "note @> jsonb_build_array(auth.user_id())",
        "jsonb_typeof(auth.session()) = 'object'",
        "auth.session() @> note",
        // The JSON null is an element.
        "auth.session() <@ '[null]'",
        "'[null]' @> auth.session()",
        "exists (select from (select auth.user_id() as id union select 'x') me where me.id = owner)",
        "exists (select from members m left join members d on m.user_id = auth.user_id() where m.team = docs.team)",
    ]
);

// Conditions on settings that any session can set.
conditions!(
    settings_that_any_sql_can_set_are_no_identity,
    &["policy_reads_setting"],
    [
        "current_setting('request.jwt.claims', true)::json ->> 'sub' = owner",
        "owner = (select current_setting('app.user'))",
        "auth.user_id() = owner and current_setting('app.tenant') = note ->> 'tenant'",
    ]
);

/// Since PostgreSQL 19: an anonymous session gets an error.
#[test]
fn policy_that_raises_an_error_for_null_is_not_found() {
    if major() < 19 {
        return;
    }
    let server = SERVER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut admin = server.connect("site", "postgres", "");
    for (using, findings) in [
        ("owner = error_on_null(auth.user_id())", &[][..]),
        ("is_public or owner = error_on_null((select auth.user_id()))", &[]),
        (
            "owner = coalesce(auth.user_id(), error_on_null('u1'::text))",
            &["policy_open_without_identity"],
        ),
    ] {
        let policy = format!("for select to authenticated using ({using})");
        assert_found(&mut admin, &policy, findings);
    }
}
