//! Policies for writing that each user with an identity satisfies, and those that tell users apart.

use std::sync::LazyLock;

use crate::check::deletions::Deleted::{All, None, Some};
use crate::check::deletions::Deletions;

static DELETIONS: LazyLock<Deletions> = LazyLock::new(|| {
    Deletions::new(
        "create table admins (user_id text primary key); alter table admins enable row level security;
         create policy own on admins for select to authenticated using (auth.user_id() = user_id);
         create table bans (like admins including all); alter table bans enable row level security;
         create policy own on bans for select to authenticated using (auth.user_id() = user_id);
         grant select on admins, bans to authenticated; insert into admins values ('alice')",
    )
});

#[test]
fn conditions_that_every_user_satisfies_are_found() {
    DELETIONS.expect(
        &[
            "auth.user_id() is not null",
            "auth.role() = 'authenticated'",
            "(select auth.role()) = 'authenticated'",
            "(auth.jwt() ->> 'role') = 'authenticated'",
            "(auth.jwt() ->> 'role')::text = 'authenticated'::text",
            "auth.jwt() #>> '{role}' = 'authenticated'",
            "jsonb_extract_path_text(auth.jwt(), 'role') = 'authenticated'",
            "(auth.jwt())['role'] = '\"authenticated\"'",
            "auth.role() in ('authenticated', 'admin')",
            "auth.role() = any ('{authenticated,admin}')",
            "auth.role() <> 'banned'",
            "auth.role() like 'auth%'",
            "auth.role() ilike '%CATED'",
            "auth.role() is not null and auth.role() is distinct from 'banned'",
            "upper(auth.role()) = 'AUTHENTICATED'",
            "coalesce(auth.role(), '') = 'authenticated'",
            "nullif(auth.role(), 'anon') is not null",
            "case auth.role() when 'authenticated' then true else false end",
            "case when auth.role() = 'authenticated' then true end",
            "(auth.role() = 'authenticated') is true",
            "(auth.jwt() ->> 'aud') = 'authenticated'",
            "auth.jwt() -> 'aud' = '\"authenticated\"'",
            "auth.jwt() ->> 'iss' = 'https://issuer.test'",
            "auth.jwt() @> '{\"role\": \"authenticated\"}'",
            "auth.jwt() @> '{\"aud\": \"authenticated\", \"iss\": \"https://issuer.test\"}'",
            "auth.jwt() ? 'sub'",
            "jsonb_typeof(auth.jwt()) = 'object' and auth.user_id() is not null",
            "auth.role() ~ '^auth'",
            "auth.role() ~* '^(AUTHENTICATED|admin)$'",
            "auth.role() !~ '^banned'",
            "auth.role() not like 'anon%'",
            "auth.role() similar to '(authenticated|admin)'",
            "auth.role() similar to '%'",
            "auth.role() ^@ 'auth' and starts_with(auth.role(), 'authen')",
            "left(auth.role(), 4) = 'auth'",
            "length(auth.role()) > 3",
            "auth.role() = 'authen' || 'ticated'",
            "auth.role()::text = any (array['authenticated'::varchar, 'admin'::varchar]::text[])",
            "auth.email() like '%@example.com'",
            "auth.email() like '%@example.com' and auth.email() not like '%@example.org'",
            "auth.email() ilike '%@EXAMPLE.com'",
            "auth.email() ~ '@example[.]com$'",
            "split_part(auth.email(), '@', 2) = 'example.com'",
            "right(lower(auth.email()), 12) = '@example.com'",
            "auth.user_id() <> ''",
            "(auth.user_id() = auth.user_id()) is true",
            "length(auth.user_id()) > 0",
            "auth.user_id() not in ('root', 'admin')",
            "auth.user_id() is not null and current_user = 'authenticated'",
            "auth.user_id() is not null and coalesce(auth.jwt() ->> 'banned', 'no') <> 'yes'",
            "auth.user_id() is not null and not exists (select from bans b where b.user_id = auth.user_id())",
            "auth.role() = 'authenticated' and (id is null or id is not null)",
            "auth.user_id() = owner or auth.role() = 'authenticated'",
            "auth.user_id() = any (array[owner, auth.user_id()])",
            "auth.user_id() in (owner, coalesce(owner, 'x'), auth.user_id())",
            "auth.user_id() is not null and not (auth.user_id() <> all (array[owner, auth.user_id()]))",
            "true = (auth.user_id() is not null)",
            "(auth.user_id() is null) <> true",
            "exists (select from (select auth.user_id() as id) me where me.id is not null)",
            "exists (select from (select auth.role() as name) r where r.name = 'authenticated')",
            "(select me.claims ->> 'role' from (select auth.jwt() as claims) me) = 'authenticated'",
            "exists (with me as (select auth.user_id() as id), it as (select id from me) select from it where it.id is not null)",
        ],
        &["policy_write_any_user"],
        [None, All, All, All],
    );
    // For every row of other users, or every row that has an owner.
    DELETIONS.expect(
        &[
            "owner <> auth.user_id()",
            "not (auth.user_id() = owner)",
            "auth.user_id() not in (owner, 'x')",
            "owner not like auth.user_id()",
            "owner <> auth.user_id() or owner = auth.user_id()",
            "auth.user_id() is not null and owner is not null",
            "auth.role() = 'authenticated' and owner = owner",
            "owner is distinct from auth.user_id() and auth.user_id() is not null and owner is not null",
            "nullif(auth.user_id(), owner) is not null and owner is not null",
            "nullif(owner, auth.user_id()) is not null and auth.user_id() is not null",
            "auth.user_id() <> any (members)",
            "owner > auth.user_id()",
            "auth.user_id() <= owner",
            "not (auth.user_id() < owner)",
            "owner < auth.user_id() or owner = auth.user_id()",
        ],
        &["policy_write_any_user"],
        [None, Some, Some, Some],
    );
}

#[test]
fn grants_of_the_owner_tell_users_apart() {
    DELETIONS.expect(
        &[
            "auth.jwt() ->> 'is_admin' = 'true'",
            "(auth.jwt() ->> 'is_admin')::bool",
            "((select auth.jwt()) ->> 'is_admin')::bool is true",
            "auth.jwt() @> '{\"is_admin\": \"true\"}'",
            "auth.jwt() ? 'is_admin'",
            "coalesce(auth.jwt() ->> 'is_admin', 'false') = 'true'",
            "auth.role() = 'authenticated' and auth.jwt() ->> 'is_admin' = 'true'",
            "auth.jwt() ->> 'org_id' = 'org_a'",
            "auth.user_id() = 'alice'",
            "auth.user_id() in ('alice', 'carol')",
            "auth.user_id() like 'alice'",
            "auth.user_id() ~ '^alice$'",
            "auth.user_id() similar to 'alice|carol'",
            "lower(auth.email()) = 'alice@example.com'",
            "exists (select from admins a where a.user_id = auth.user_id())",
            "auth.user_id() in (select a.user_id from admins a)",
            "auth.user_id() is not null and (select a.user_id from admins a where a.user_id = auth.user_id()) is not null",
        ],
        &[],
        [None, All, None, None],
    );
    DELETIONS.expect(
        &[
            "auth.role() = 'admin'",
            "auth.role() <> 'authenticated'",
            "auth.role() like 'admin%'",
            "auth.role() ~ '^admin'",
            "auth.role() ~ '^(editor|admin)$'",
            "auth.role() similar to '(editor|admin)'",
            "auth.role() not like 'auth%'",
            "auth.role() !~ 'cated$'",
            "substr(auth.role(), 1, 5) = 'admin'",
            "auth.role() || 's' = 'admins'",
            "left(auth.role(), 5) = 'admin'",
            "auth.jwt() -> 'app_metadata' -> 'roles' ? 'admin'",
            "auth.jwt() #>> '{app_metadata,role}' = 'admin'",
            "auth.jwt() @? '$.roles[*] ? (@ == \"admin\")'",
            "auth.jwt() ?| array['is_owner', 'is_root']",
            "jsonb_path_exists(auth.jwt(), '$.app_metadata ? (@.role == \"admin\")')",
            "'admin' in (select jsonb_array_elements_text(auth.jwt() -> 'roles'))",
            "auth.jwt() @> '{\"role\": \"admin\"}'",
            "case auth.role() when 'admin' then true end",
            "auth.user_id() = ''",
            "(auth.user_id() <> auth.user_id()) is true",
            "auth.jwt() ->> 'aud' = 'authenticated' and auth.role() = 'admin'",
            "auth.email() = '@example.com'",
            "exists (select from (select auth.role() as name) r where r.name = 'admin')",
            "(select me.claims ->> 'role' from (select auth.jwt() as claims) me) = 'admin'",
            "exists (select from (select auth.user_id() as id limit 0) me where me.id is not null)",
        ],
        &[],
        [None; 4],
    );
}

#[test]
fn conditions_on_the_row_tell_users_apart() {
    DELETIONS.expect(
        &[
            "auth.user_id() = owner",
            "auth.role() = 'authenticated' and auth.user_id() = owner",
            "auth.email() like '%@example.com' and owner = auth.user_id()",
            "owner like auth.user_id() || '%'",
            "auth.user_id() <> '' and (auth.user_id(), 1) = (owner, 1)",
            "auth.user_id() = any (array[owner, 'x'])",
            "auth.user_id() is not null and nullif(auth.user_id(), owner) is null",
            "auth.user_id() >= owner and auth.user_id() <= owner",
            "auth.user_id() = owner and owner > 'a'",
        ],
        &[],
        [None, Some, None, Some],
    );
    DELETIONS.expect(
        &[
            "auth.role() = 'authenticated' and is_public",
            "auth.user_id() is not null and id > 0",
            "auth.user_id() <> owner and is_public",
            "auth.user_id() is not null and is_public is not null",
            "auth.role() = 'authenticated' and team = 1",
            "auth.email() like '%@example.com' and team = 1",
        ],
        &["policy_write_without_identity"],
        [None, Some, Some, Some],
    );
    // The first user has no identity, and is still one of the role.
    DELETIONS.expect(
        &[
            "is_public or auth.user_id() = owner",
            "auth.user_id() = owner or (note ->> 'sub' = 'alice' or team = 1)",
            "(is_public and id > 0) or (auth.user_id() = owner and team = 1)",
            "case when is_public then auth.user_id() is not null else auth.user_id() = owner end or is_public",
        ],
        &["policy_write_without_identity"],
        [Some; 4],
    );
}
