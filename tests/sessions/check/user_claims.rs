//! Policies that read claims which their users can write. Mallory has written the claims of an administrator.

use std::sync::LazyLock;

use crate::check::deletions::Deleted::{All, None, Some};
use crate::check::deletions::Deletions;

static DELETIONS: LazyLock<Deletions> = LazyLock::new(|| {
    Deletions::new(
        "create table users (id text primary key, raw_user_meta_data jsonb, raw_app_meta_data jsonb);
         alter table users enable row level security;
         create policy own on users for select to authenticated using (auth.user_id() = id);
         grant select on users to authenticated;
         insert into users values ('mallory', '{\"role\": \"admin\"}', '{}'), ('bob', '{}', '{}')",
    )
});

#[test]
fn claims_that_their_user_can_write_are_found() {
    DELETIONS.expect(
        &[
            "(auth.jwt() -> 'user_metadata' ->> 'is_admin') = 'true'",
            "(auth.jwt() -> 'user_metadata' ->> 'is_admin')::bool",
            "((select auth.jwt()) -> 'user_metadata' ->> 'is_admin')::bool is true",
            "(select auth.session() -> 'user_metadata' ->> 'role') in ('admin', 'editor')",
            "auth.session() #>> '{user_metadata,is_admin}' = 'true'",
            "auth.jwt() #> '{user_metadata,is_admin}' = '\"true\"'",
            "jsonb_extract_path_text(auth.jwt(), 'user_metadata', 'role') = 'admin'",
            "jsonb_extract_path(auth.jwt(), 'user_metadata', 'role') = '\"admin\"'",
            "(auth.jwt())['user_metadata']['role'] = '\"admin\"'",
            "auth.jwt() @> '{\"user_metadata\": {\"role\": \"admin\"}}'",
            "'{\"user_metadata\": {\"role\": \"admin\"}}' <@ auth.jwt()",
            "auth.jwt() -> 'user_metadata' @> '{\"role\": \"admin\"}'",
            "auth.jwt() -> 'user_metadata' ? 'is_admin'",
            "auth.jwt() ? 'user_metadata'",
            "auth.jwt() -> 'user_metadata' -> 'roles' ? 'admin'",
            "auth.jwt() @? '$.user_metadata.roles[*] ? (@ == \"admin\")'",
            "auth.jwt() @@ '$.user_metadata.role == \"admin\"'",
            "jsonb_path_exists(auth.jwt(), '$.user_metadata ? (@.role == \"admin\")')",
            "jsonb_path_match(auth.jwt(), '$.user_metadata.role == \"admin\"')",
            "jsonb_path_query_first(auth.jwt(), '$.user_metadata.role') = '\"admin\"'",
            "auth.jwt()::json -> 'user_metadata' ->> 'role' = 'admin'",
            "json_extract_path_text(auth.jwt()::json, 'user_metadata', 'role') = 'admin'",
            "auth.role() = 'admin' or auth.jwt() -> 'unsafe_metadata' ->> 'role' = 'admin'",
            "auth.role() = 'authenticated' and auth.jwt() -> 'unsafe_metadata' ->> 'role' = 'admin'",
            "auth.jwt() -> 'custom' -> 'user_metadata' ->> 'role' = 'admin'",
            "auth.jwt() -> 'https://example.com/user_metadata' ->> 'role' = 'admin'",
            "exists (select from jsonb_array_elements_text(auth.jwt() -> 'user_metadata' -> 'roles') r where r = 'admin')",
            "'admin' in (select jsonb_array_elements_text(auth.jwt() -> 'user_metadata' -> 'roles'))",
            "coalesce(auth.jwt() -> 'user_metadata' ->> 'is_admin', 'false') = 'true'",
            "case auth.jwt() -> 'user_metadata' ->> 'role' when 'admin' then true else false end",
            "exists (select from users u where u.id = auth.user_id() and u.raw_user_meta_data ->> 'role' = 'admin')",
            "(select u.raw_user_meta_data ->> 'role' from users u where u.id = auth.user_id()) = 'admin'",
            "exists (select from (select auth.jwt() as j) s where s.j -> 'user_metadata' ->> 'role' = 'admin')",
            "exists (select from (select auth.jwt() -> 'user_metadata' as m) s where s.m ->> 'role' = 'admin')",
            "(with s as (select auth.jwt() as j) select s.j -> 'user_metadata' ->> 'role' from s) = 'admin'",
        ],
        &["policy_write_user_claim"],
        [None, None, None, All],
    );
    DELETIONS.expect(
        &[
            "(auth.jwt() -> 'user_metadata' ->> 'team')::int = team",
            "exists (select from (select auth.jwt() as j) s where (s.j -> 'user_metadata' ->> 'team')::int = team)",
            "is_public and auth.jwt() -> 'user_metadata' ->> 'role' = 'admin'",
        ],
        &["policy_write_user_claim"],
        [None, None, None, Some],
    );
    DELETIONS.expect(
        &[
            "auth.user_id() = owner or (auth.jwt() -> 'user_metadata' ->> 'is_admin')::bool",
            "case when auth.jwt() -> 'user_metadata' ->> 'role' = 'admin' then true else auth.user_id() = owner end",
        ],
        &["policy_write_user_claim"],
        [None, Some, None, All],
    );
}

#[test]
fn claims_that_only_the_owner_writes_are_not_found() {
    DELETIONS.expect(
        &[
            "auth.jwt() -> 'app_metadata' ->> 'role' = 'admin'",
            "auth.jwt() #>> '{app_metadata,role}' = 'admin'",
            "auth.jwt() -> 'public_metadata' ->> 'role' = 'admin'",
            "auth.jwt() @> '{\"public_metadata\": {\"role\": \"admin\"}}'",
            "auth.jwt() -> 'trusted_metadata' -> 'roles' ? 'admin'",
            "auth.jwt() -> 'client_read_only_metadata' ->> 'role' = 'admin'",
            "auth.jwt() #>> '{app_metadata,user_metadata_role}' = 'admin'",
            "auth.jwt() ->> 'kind' = 'user_metadata'",
            "exists (select from (select auth.jwt() as j) s where s.j -> 'app_metadata' ->> 'role' = 'admin')",
            "exists (select from users u where u.id = auth.user_id() and u.raw_app_meta_data ->> 'role' = 'admin')",
            "auth.role() = 'admin' and auth.jwt() -> 'user_metadata' ->> 'role' = 'admin'",
            "auth.jwt() ->> 'is_admin' = 'true' and auth.jwt() -> 'user_metadata' ->> 'role' = 'admin'",
        ],
        &[],
        [None; 4],
    );
    DELETIONS.expect(
        &["case when auth.user_id() is not null then auth.jwt() - 'user_metadata' ->> 'is_admin' = 'true' end"],
        &[],
        [None, All, None, None],
    );
}

#[test]
fn claims_that_only_narrow_the_rows_of_their_user_are_not_found() {
    DELETIONS.expect(
        &[
            "auth.user_id() = owner and auth.jwt() -> 'user_metadata' ->> 'role' = 'admin'",
            "owner = (select auth.user_id()) and (auth.jwt() -> 'user_metadata' ->> 'is_admin')::bool",
        ],
        &[],
        [None, None, None, Some],
    );
    DELETIONS.expect(
        &[
            "exists (select from members m where m.team = docs.team and m.user_id = auth.user_id())
                and auth.jwt() -> 'user_metadata' ->> 'role' = 'admin'",
            "team in (select m.team from members m where m.user_id = auth.user_id())
                and auth.jwt() -> 'user_metadata' ->> 'role' = 'admin'",
            "auth.user_id() = any (members) and auth.jwt() -> 'user_metadata' ->> 'role' = 'admin'",
            "members @> array[auth.user_id()] and auth.jwt() -> 'user_metadata' ->> 'role' = 'admin'",
        ],
        &[],
        [None; 4],
    );
    DELETIONS.expect(
        &[
            "auth.user_id() = owner and coalesce(auth.jwt() -> 'user_metadata' ->> 'hidden', 'no') <> 'yes'",
            "auth.user_id() = owner and note -> 'user_metadata' is null",
        ],
        &[],
        [None, Some, None, Some],
    );
}
