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
         insert into users values ('mallory', '{\"role\": \"admin\"}', '{}'), ('bob', '{}', '{}');
         create function is_admin() returns boolean language sql stable
             as $$ select auth.jwt() -> 'user_metadata' ->> 'role' = 'admin' $$;
         create function is_admin_by_return() returns boolean stable
             return (auth.jwt() -> 'user_metadata' ->> 'role') = 'admin';
         create function claims() returns jsonb language sql stable as $$ select auth.jwt() $$;
         create function claims_as_text() returns text language plpgsql stable as $$
             begin return auth.jwt()::text; end $$;
         create function profile() returns jsonb language sql stable as $$ select auth.jwt() -> 'user_metadata' $$;
         create function settings() returns jsonb language sql immutable as $$ select '{\"user_metadata\": {}}'::jsonb $$;
         create function claim(name text) returns jsonb language sql stable as $$ select auth.jwt() -> name $$;
         create function claim_at(variadic path text[]) returns text language sql stable
             as $$ select auth.jwt() #>> path $$;
         create function claim_by_path(path text) returns text language sql stable
             as $$ select auth.jwt() #>> string_to_array(path, '.') $$;
         create function is_admin_nested() returns boolean language plpgsql stable as $$
             declare claims jsonb := claims();
             begin return claims #>> '{user_metadata,role}' = 'admin'; end $$;
         create function is_admin_in(claims jsonb) returns boolean language sql immutable
             as $$ select claims -> 'user_metadata' ->> 'role' = 'admin' $$;
         create function role_of_user() returns text language plpgsql stable as $$
             begin return auth.session() -> 'user_metadata' ->> 'role'; end $$;
         create function role_in_table() returns text language sql stable
             as $$ select raw_user_meta_data ->> 'role' from users where id = auth.user_id() $$;
         create function team_of_user() returns integer language sql stable
             as $$ select (auth.jwt() -> 'user_metadata' ->> 'team')::int $$;
         create function is_of_team(team integer) returns boolean language sql stable
             as $$ select (auth.jwt() -> 'user_metadata' ->> 'team')::int = team $$;
         create function is_deployed_admin() returns boolean language sql stable
             as $$ select auth.jwt() -> 'app_metadata' ->> 'role' = 'admin' $$;
         create function without_own_claims() returns jsonb language sql stable
             as $$ select case when auth.user_id() is not null then auth.jwt() - 'user_metadata' end $$;
         create function is_marked(note jsonb) returns boolean language sql immutable
             as $$ select note -> 'user_metadata' ->> 'role' = 'admin' $$",
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
fn functions_that_read_claims_of_their_user_are_found() {
    DELETIONS.expect(
        &[
            "is_admin()",
            "(select is_admin())",
            "is_admin() is true",
            "not not is_admin()",
            "is_admin_by_return()",
            "is_admin_nested()",
            "role_of_user() = 'admin'",
            "role_of_user() in ('admin', 'editor')",
            "(select role_of_user()) = any (array['admin'])",
            "role_in_table() = 'admin'",
            "auth.role() = 'admin' or is_admin()",
            "case when is_admin() then true else auth.role() = 'admin' end",
            "coalesce(is_admin(), false)",
            "exists (select where is_admin())",
        ],
        &["policy_write_user_claim"],
        [None, None, None, All],
    );
    DELETIONS.expect(
        &[
            "claims() -> 'user_metadata' ->> 'role' = 'admin'",
            "(select claims()) #>> '{user_metadata,role}' = 'admin'",
            "(claims())['user_metadata']['role'] = '\"admin\"'",
            "claims() @> '{\"user_metadata\": {\"role\": \"admin\"}}'",
            "claims() @? '$.user_metadata ? (@.role == \"admin\")'",
            "claims_as_text()::json -> 'user_metadata' ->> 'role' = 'admin'",
            "jsonb_extract_path_text(claims(), 'user_metadata', 'role') = 'admin'",
            "exists (select from (select claims() as j) s where s.j -> 'user_metadata' ->> 'role' = 'admin')",
            "(with s as materialized (select claims() as j) select s.j -> 'user_metadata' ->> 'role' from s) = 'admin'",
            "profile() ->> 'role' = 'admin'",
            "claim('user_metadata') ->> 'role' = 'admin'",
            "claim_at('user_metadata', 'role') = 'admin'",
            "claim_by_path('user_metadata.role') = 'admin'",
            "(select claim_by_path('user_metadata.role')) = 'admin'",
            "is_admin_in(claims())",
            "is_admin_in((select claims()))",
            "is_admin_in(claims_as_text()::jsonb)",
            "exists (select from (select claims() as j) s where is_admin_in(s.j))",
        ],
        &["policy_write_user_claim"],
        [None, None, None, All],
    );
    DELETIONS.expect(
        &["is_admin_in(auth.jwt())", "is_admin_in((select auth.session()))"],
        &["policy_write_user_claim", "policy_undecided"],
        [None, None, None, All],
    );
    DELETIONS.expect(
        &["team_of_user() = team", "is_of_team(team)", "is_public and is_admin()"],
        &["policy_write_user_claim"],
        [None, None, None, Some],
    );
    DELETIONS.expect(
        &[
            "auth.user_id() = owner or is_admin()",
            "owner = auth.user_id() or role_of_user() = 'admin'",
        ],
        &["policy_write_user_claim"],
        [None, Some, None, All],
    );
}

#[test]
fn functions_that_read_other_claims_or_only_narrow_are_not_found() {
    DELETIONS.expect(
        &[
            "is_deployed_admin()",
            "auth.role() = 'admin' and is_admin()",
            "auth.user_id() = owner and is_admin_in(note)",
            "auth.user_id() = owner and is_marked(note)",
            "without_own_claims() ->> 'role' = 'admin'",
            "claims() -> 'app_metadata' ->> 'role' = 'admin'",
            "settings() -> 'user_metadata' ->> 'role' = 'admin'",
            "is_admin_in(settings())",
            "claim('app_metadata') ->> 'role' = 'admin'",
            "claim_at('app_metadata', 'role') = 'admin'",
            "claim_by_path('app_metadata.role') = 'admin'",
        ],
        &[],
        [None; 4],
    );
    DELETIONS.expect(
        &[
            "auth.user_id() = owner and is_admin()",
            "is_admin_nested() and owner = (select auth.user_id())",
            "owner = auth.user_id() and role_of_user() = 'admin'",
            "owner = auth.user_id() and is_admin_in(auth.jwt())",
            "owner = auth.user_id() and role_in_table() = 'admin'",
            "owner = auth.user_id() and claims() -> 'user_metadata' ->> 'role' = 'admin'",
            "owner = auth.user_id() and is_admin_in(claims())",
        ],
        &[],
        [None, None, None, Some],
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
