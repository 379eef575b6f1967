//! Sub-selects that find rows of the user but do not depend on the row, and those that do. Bob is in a team that has no rows.

use std::sync::LazyLock;

use crate::check::deletions::Deleted::{All, None, Some};
use crate::check::deletions::Deletions;

static DELETIONS: LazyLock<Deletions> = LazyLock::new(|| {
    Deletions::new(
        "create table admins (user_id text primary key, created_at timestamptz); alter table admins enable row level security;
         create policy own on admins for select to authenticated using (auth.user_id() = user_id);
         create table profiles (id text primary key, role text); alter table profiles enable row level security;
         create policy own on profiles to authenticated using (auth.user_id() = id);
         create table doc_shares (doc int, who text primary key); alter table doc_shares enable row level security;
         create policy own on doc_shares for select to authenticated using (auth.user_id() = who);
         grant select on admins, doc_shares to authenticated; grant select, insert on profiles to authenticated;
         alter table docs add unique (id); alter table doc_shares add foreign key (doc) references docs (id);
         insert into admins values ('alice'); insert into profiles values ('alice', 'admin'), ('bob', 'user');
         insert into members values (9, 'bob', false), (9, 'alice', false)",
    )
});

const HOLES: &[&str] = &[
    "exists (select from members m where m.user_id = auth.user_id())",
    "exists (select from members where user_id = (select auth.user_id()))",
    "exists (select from members m where m.team = team and m.user_id = auth.user_id())",
    "exists (select from members where members.team = team and user_id = auth.user_id())",
    "exists (select 1 from members m where team = m.team and auth.user_id() = m.user_id limit 1)",
    "exists (select from members m join members n on m.team = n.team where m.user_id = auth.user_id())",
    "auth.user_id() in (select m.user_id from members m)",
    "auth.user_id() in (select m.user_id from members m where m.team = team)",
    "auth.user_id() = any (array(select m.user_id from members m))",
    "(select count(*) from members m where m.user_id = auth.user_id()) > 0",
    "(select bool_or(true) from members m where m.user_id = auth.user_id())",
    "(select bool_or(m.user_id = auth.user_id()) from members m)",
    "auth.role() = 'authenticated' and exists (select from members m where m.user_id = auth.user_id())",
    "exists (select from profiles p where p.id = auth.user_id())",
    "exists (select from (select * from members) m where m.user_id = auth.user_id())",
    "exists (select from members m, (select auth.user_id() as id) me where m.user_id = me.id)",
    "exists (select from (select m.team from members m where m.user_id = auth.user_id()) mine where mine.team = team)",
    "exists (with mine as (select from members m where m.user_id = auth.user_id()) select from mine)",
    "(select array_agg(m.user_id) from members m) @> array[auth.user_id()]",
    "array[auth.user_id()] <@ (select array_agg(m.user_id) from members m)",
    "auth.user_id() = any ((select array_agg(m.user_id) from members m)::text[])",
    "(select string_agg(m.user_id, ',') from members m) like '%' || auth.user_id() || '%'",
];

/// Alice and bob delete the rows that have a team, or an owner.
const HOLES_OF_FILLED_ROWS: &[&str] = &[
    "exists (select from members m where m.user_id = auth.user_id() and docs.team = docs.team)",
    "exists (select from members m where m.user_id = auth.user_id() and docs.team is not null)",
    "team is not null and exists (select from members m where m.user_id = auth.user_id())",
    "owner is not null and auth.user_id() in (select m.user_id from members m)",
    "team = team and exists (select from members m where m.user_id = auth.user_id())",
];

/// No condition connects the user's membership with the row's team. Alice has a membership, and sees members of team 1.
const HOLES_OF_JOINS: &[&str] = &[
    "exists (select from members m, members n where m.user_id = auth.user_id() and n.team = docs.team)",
    "exists (select from members m cross join members n where m.user_id = auth.user_id() and n.team = docs.team)",
    "exists (select from members m join members n on true where m.user_id = auth.user_id() and n.team = docs.team)",
    "exists (select from members m join members n on n.team = docs.team where m.user_id = (select auth.user_id()))",
    "team in (select n.team from members n, members m where m.user_id = auth.user_id())",
];

/// AND binds before OR: the second alternative forgets the row. Alice and bob have a membership of a team without rows.
const HOLES_OF_BRANCHES: &[&str] = &[
    "exists (select from members m where not m.is_public or m.team = docs.team and m.user_id = auth.user_id())",
    "exists (select from members m where m.team = docs.team or m.user_id = auth.user_id())",
    "exists (select from members m where m.team = docs.team and m.is_public or m.user_id = (select auth.user_id()))",
    "exists (select from members m where m.team = docs.team and m.user_id = auth.user_id() or not m.is_public)",
    "exists (select from members m where (m.team = docs.team or m.is_public) and m.is_public or m.user_id = auth.user_id())",
    "auth.user_id() in (select m.user_id from members m where m.team = docs.team and m.is_public or m.user_id <> '')",
    "auth.user_id() = any (select m.user_id from members m where m.team = docs.team or not m.is_public)",
    "exists (select from members m where m.user_id = auth.user_id() and (m.team = docs.team or not m.is_public))",
    "exists (select from members m where m.user_id = auth.user_id() and (m.team = docs.team or m.team is not null))",
    "exists (select from members m where m.user_id = auth.user_id() and not (m.team <> docs.team and m.is_public))",
    "exists (select from members m where m.user_id = auth.user_id()
        and case when not m.is_public then true else m.team = docs.team end)",
    "exists (select from members m where m.user_id = auth.user_id()
        and case when m.is_public then m.team = docs.team else true end)",
    "exists (select from members m, jsonb_array_elements_text('[\"a\"]') r where m.user_id = auth.user_id() or m.team = docs.team)",
    "exists (select from members m join members n on n.team = docs.team or not m.is_public where m.user_id = auth.user_id())",
    "exists (select m.team = docs.team from members m where m.user_id = auth.user_id())",
    "exists (select from members m left join members n on n.team = docs.team where m.user_id = auth.user_id())",
    "exists (select from members n right join members m on n.team = docs.team where m.user_id = auth.user_id())",
];

/// All alternatives read the row, or none is possible without it.
const NO_HOLES_OF_BRANCHES: &[&str] = &[
    "exists (select from members m where m.user_id = auth.user_id() and (m.team = docs.team or m.team = docs.id + 100))",
    "exists (select from members m where m.team = docs.team and m.user_id = auth.user_id() or m.team = docs.team and false)",
    "exists (select from members m where m.team = docs.team and m.user_id = auth.user_id() or false)",
    "exists (select from members m where m.team = docs.team and m.user_id = auth.user_id() or null)",
    "exists (select from members m where m.team = docs.team and m.user_id = auth.user_id() or m.team = docs.id + 100)",
    "exists (select from members m where m.user_id = auth.user_id() and (m.team = docs.team or m.team is not null and false))",
    "exists (select from members m where m.user_id = auth.user_id() and not (m.team <> docs.team or m.team is null))",
    "exists (select from members m where m.user_id = auth.user_id()
        and case when m.team is null then false else m.team = docs.team end)",
    "exists (select from members m left join members n on n.team = m.team where m.user_id = auth.user_id() and m.team = docs.team)",
    "exists (select from members m join members n on n.team = docs.team where m.user_id = auth.user_id() and m.team = n.team)",
    "exists (select from members m, lateral (select m.team = docs.team as same) s where m.user_id = auth.user_id() and s.same)",
];

#[test]
fn alternatives_that_forget_the_row_are_found() {
    DELETIONS.expect(HOLES_OF_BRANCHES, &["policy_write_any_member"], [None, All, All, None]);
    DELETIONS.expect(NO_HOLES_OF_BRANCHES, &[], [None, Some, None, None]);
}

#[test]
fn aggregates_always_have_a_row() {
    DELETIONS.expect(
        &[
            "auth.user_id() is not null
                and exists (select count(*) from members m where m.team = docs.team and m.user_id = auth.user_id())",
            "auth.user_id() is not null
                and exists (select max(m.team) from members m where m.team = docs.team and m.user_id = auth.user_id())",
        ],
        &["policy_write_any_user"],
        [None, All, All, All],
    );
    DELETIONS.expect(
        &[
            "exists (select count(*) from members m where m.team = docs.team and m.user_id = auth.user_id() group by m.team)",
            "exists (select from members m where m.team = docs.team and m.user_id = auth.user_id() having count(*) > 0)",
        ],
        &["policy_undecided"],
        [None, Some, None, None],
    );
}

#[test]
fn sub_selects_that_do_not_depend_on_the_row_are_found() {
    DELETIONS.expect(HOLES, &["policy_write_any_member"], [None, All, All, None]);
    DELETIONS.expect(
        HOLES_OF_FILLED_ROWS,
        &["policy_write_any_member"],
        [None, Some, Some, None],
    );
    DELETIONS.expect(HOLES_OF_JOINS, &["policy_write_any_member"], [None, Some, None, None]);
    // Mallory deletes only her rows.
    DELETIONS.expect(
        &["auth.user_id() = owner or exists (select from members m where m.user_id = auth.user_id())"],
        &["policy_write_any_member"],
        [None, All, All, Some],
    );
}

#[test]
fn sub_selects_about_the_row_are_not_found() {
    DELETIONS.expect(
        &[
            "exists (select from members m where m.team = docs.team and m.user_id = auth.user_id())",
            "team in (select m.team from members m where m.user_id = auth.user_id())",
            "team in (select team from members where user_id = auth.user_id())",
            "team = any (array(select m.team from members m where m.user_id = auth.user_id()))",
            "auth.user_id() in (select m.user_id from members m where m.team = docs.team)",
            "exists (select from members m, (select auth.user_id() as id) me where m.user_id = me.id and m.team = docs.team)",
            "exists (select from (select m.team from members m where m.user_id = auth.user_id()) mine where mine.team = docs.team)",
            "team in (with mine as (select m.team from members m where m.user_id = auth.user_id()) select mine.team from mine)",
            "(select m.user_id from members m where m.team = docs.team and m.user_id = auth.user_id() limit 1) = auth.user_id()",
            "is_public and exists (select from members m where m.team = docs.team and m.user_id = auth.user_id())",
            "team is not null and exists (select from members m where m.team = docs.team and m.user_id = auth.user_id())",
            "exists (select from members m join members n on m.team = n.team where m.user_id = auth.user_id() and n.team = docs.team)",
            "exists (select from members m, members n where m.user_id = auth.user_id() and (m.team, n.team) = (n.team, docs.team))",
            "team in (select n.team from members n, members m where n.team = m.team and m.user_id = auth.user_id())",
            "(select array_agg(m.user_id) from members m where m.team = docs.team) @> array[auth.user_id()]",
        ],
        &[],
        [None, Some, None, None],
    );
    DELETIONS.expect(
        &["is_public and exists (select from members m where m.user_id = auth.user_id())"],
        &[],
        [None, Some, Some, None],
    );
}

#[test]
fn tables_of_the_owner_are_grants() {
    // Alice and bob are in team 9.
    DELETIONS.expect(
        &[
            "exists (select from members m where m.team = 9 and m.user_id = auth.user_id())",
            "9 in (select m.team from members m where m.user_id = auth.user_id())",
            "9 = any (array(select m.team from members m where m.user_id = auth.user_id()))",
        ],
        &[],
        [None, All, All, None],
    );
    DELETIONS.expect(
        &[
            "exists (select from admins a where a.user_id = auth.user_id())",
            "auth.user_id() in (select user_id from admins)",
            "exists (select from admins where user_id = auth.user_id() and created_at is null)",
            "(select array_agg(a.user_id) from admins a) @> array[auth.user_id()]",
            "exists (select from profiles p where p.id = auth.user_id() and p.role = 'admin')",
            "(select p.role from profiles p where p.id = auth.user_id()) = 'admin'",
        ],
        &[],
        [None, All, None, None],
    );
}
