//! Tables of several kinds, with rows of several users, of no user and of the empty name, and random policies on them.

use proptest::option;
use proptest::prelude::Strategy;
use proptest::sample::select;

use super::conditions::condition;

pub const TABLES: [&str; 5] = ["plain", "parts", "parent", "nothing", "other"];

pub const CREATE: &str = "
    create table plain (id int, user_id text, n int, flag boolean, unique (id, user_id));
    create table other (like plain including all);
    create table nothing (like plain including all);
    create table parent (like plain including all);
    create table child (like plain including all) inherits (parent);
    create table parts (like plain including all) partition by hash (user_id);
    create table part0 partition of parts for values with (modulus 3, remainder 0);
    create table part1 partition of parts for values with (modulus 3, remainder 1);
    create table part2 partition of parts for values with (modulus 3, remainder 2);
    create index on plain (user_id);
    create index on parts (user_id);
    create index on child (user_id);
    insert into plain select i, (array['alice', 'bob', 'carol', '', null])[i % 5 + 1],
        case when i % 11 > 0 then i % 7 end, (array[true, false, null])[i % 3 + 1] from generate_series(1, 60) i;
    insert into parts table plain;
    insert into parent select * from plain where id <= 20;
    insert into child select * from plain where id > 20;
    insert into other select id, (array['bob', 'alice', null])[id % 3 + 1], n, flag from plain where id % 4 > 0;
    analyze;
    alter table plain enable row level security;
    alter table other enable row level security;
    alter table nothing enable row level security;
    alter table parent enable row level security;
    alter table parts enable row level security;
    grant all on all tables in schema public to authenticated";

/// The policies of all tables: drops those that there are, and makes others.
pub fn policies() -> impl Strategy<Value = String> {
    TABLES.map(policies_on).prop_map(|policies| policies.concat())
}

fn policies_on(table: &'static str) -> impl Strategy<Value = String> {
    (
        condition(1),
        option::weighted(0.25, condition(1)),
        option::weighted(0.5, condition(2)),
        option::weighted(0.5, command_and_condition()),
        option::weighted(0.25, command_and_condition()),
    )
        .prop_map(move |(using, other, check, more, less)| {
            let mut sql = String::new();
            for name in ["whole", "more", "less"] {
                sql += &format!("drop policy if exists {name} on {table};\n");
            }
            let mut using = using.replace('$', table);
            if let Some(inner) = other.filter(|_| table != "other") {
                let inner = inner.replace('$', "other");
                using += &format!(" or exists (select from other where other.id = {table}.id and {inner})");
            }
            sql += &format!("create policy whole on {table} to authenticated using ({using})");
            if let Some(check) = check {
                sql += &format!(" with check ({})", check.replace('$', table));
            }
            sql += ";\n";
            for (name, kind, policy) in [("more", "permissive", more), ("less", "restrictive", less)] {
                if let Some((command, condition)) = policy {
                    let clause = if command == "insert" { "with check" } else { "using" };
                    let check = condition.replace('$', table);
                    sql += &format!("create policy {name} on {table} as {kind} for {command} {clause} ({check});\n");
                }
            }
            sql
        })
}

fn command_and_condition() -> impl Strategy<Value = (&'static str, String)> {
    (select(&["all", "select", "insert", "update", "delete"]), condition(2))
}
