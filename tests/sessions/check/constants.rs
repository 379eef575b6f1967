//! Conditions of which PostgreSQL knows that they are always true, or never, whatever the row and the user.

use std::sync::LazyLock;

use crate::check::deletions::Deleted::{All, None, Some};
use crate::check::deletions::Deletions;

static DELETIONS: LazyLock<Deletions> = LazyLock::new(|| Deletions::new(""));

#[test]
fn conditions_that_are_always_true_are_open() {
    DELETIONS.expect(
        &[
            "true",
            "1 = 1",
            "not false",
            "'a' = 'a'",
            "1 + 1 = 2",
            "'abc' like 'a_%'",
            "2 between 1 and 3",
            "1 in (1, 2)",
            "'x' = any ('{x,y}')",
            "null is null",
            "coalesce(null, true)",
            "case when 1 < 2 then true end",
            "(select true)",
            "(select 1) = 1",
            "exists (select 1)",
            "true or is_public",
            "id = id or id is null",
            "id is null or id is not null",
            "(owner = owner) is not false",
            "coalesce(owner, '') = coalesce(owner, '')",
            "owner like '%' or owner is null",
            "is_public or is_public is not true",
            "now() > '2020-01-01'",
            "'2020-01-01' <= current_timestamp",
            "current_date >= '2020-01-01'",
            "current_user = 'authenticated'",
            "current_user <> 'anonymous'",
            "current_user in ('authenticated', 'anonymous')",
            "current_setting('role') = 'authenticated'",
            "pg_has_role('authenticated', 'member')",
            "pg_has_role(current_user, 'authenticated', 'usage')",
            "auth.user_id() = owner or 1 = 1",
            "1 = 1.0",
            "1.10 = 1.1 and 1e3 = 1000",
            "0.1 + 0.2 = 0.3",
            "1 = 1::float8",
            "1::float4 = 1::float8",
            "0.1::float4 <> 0.1::float8",
            "'nan'::float8 = 'nan'::float8",
            "2::numeric >= 1.99",
            "5 / 2 = 2 and -7 % 2 = -1",
            "'abc' ~ '^a'",
            "'abc' ~* '^(X|A)'",
            "'abc' similar to 'a%'",
            "'a_c' like 'a\\_c'",
            "owner similar to '%' or owner is null",
            "owner ~ '' or owner is null",
            "owner !~~ 'x' or true",
            "'authen' || 'ticated' = current_user",
            "left(current_user, 4) = 'auth' and strpos(current_user, 'tic') = 7",
            "auth.user_id() is null or auth.user_id() is not null",
        ],
        &["policy_write_open"],
        [All; 4],
    );
}

#[test]
fn conditions_that_are_never_true_are_no_finding() {
    DELETIONS.expect(
        &[
            "false",
            "1 = 2",
            "not true",
            "null::bool",
            "'a' <> 'a'",
            "1 in (2, 3)",
            "1 in (2, null)",
            "case when 1 > 2 then true end",
            "exists (select 1 where false)",
            "exists (select 1 limit 0)",
            "(select true limit 0)",
            "is_public and false",
            "id <> id",
            "id is null and id is not null",
            "owner < owner",
            "now() < '2020-01-01'",
            "current_user = 'anonymous'",
            "current_user = 'postgres' and is_public",
            "pg_has_role('anonymous', 'member')",
            "auth.user_id() = owner and 1 = 2",
            "1 = 2.0",
            "0.1::float8 + 0.2::float8 = 0.3::float8",
            "1 / 2 = 0.5",
            "'abc' ~ '^b'",
            "'abc' ~ '^ab$'",
            "'abc' similar to 'b%'",
            "'abc' like 'a\\_c'",
            "owner not like '%'",
        ],
        &[],
        [None; 4],
    );
}

#[test]
fn conditions_on_the_row_are_not_always_true() {
    DELETIONS.expect(
        &[
            "id = id",
            "owner = owner",
            "owner like '%'",
            "owner like '%e'",
            "owner similar to '%'",
            "owner ~ 'e$'",
            "id = id::numeric and owner ~ 'a|z'",
            "id is not null",
            "is_public",
            "is_public or id = 1",
            "current_user = 'authenticated' and is_public",
            "now() > '2020-01-01' and id > 0",
            "current_date > '2020-01-01' and id in (1, 2)",
        ],
        &["policy_write_without_identity"],
        [Some; 4],
    );
    // True now, but not for ever.
    DELETIONS.expect(&["now() < '2999-01-01'"], &["policy_write_without_identity"], [All; 4]);
}
