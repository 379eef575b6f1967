//! Tables of several kinds, with rows of several users, of no user and of the empty name, and random policies on them.

use super::conditions::condition;
use super::xorshift::Xorshift;

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

/// Drops the policies that there are, and makes others on all tables.
pub fn policies(random: &mut Xorshift) -> String {
    TABLES.map(|table| policies_on(random, table)).concat()
}

fn policies_on(random: &mut Xorshift, table: &str) -> String {
    let mut sql = String::new();
    for name in ["whole", "more", "less"] {
        sql += &format!("drop policy if exists {name} on {table};\n");
    }
    let mut using = condition(random, table, 1);
    if table != "other" && random.once_in(4) {
        let inner = condition(random, "other", 1);
        using += &format!(" or exists (select from other where other.id = {table}.id and {inner})");
    }
    sql += &format!("create policy whole on {table} to authenticated using ({using})");
    if random.once_in(2) {
        sql += &format!(" with check ({})", condition(random, table, 2));
    }
    sql += ";\n";
    for (name, kind, times) in [("more", "permissive", 2), ("less", "restrictive", 4)] {
        if random.once_in(times) {
            let command = random.pick(&["all", "select", "insert", "update", "delete"]);
            let clause = if command == "insert" { "with check" } else { "using" };
            let check = condition(random, table, 2);
            sql += &format!("create policy {name} on {table} as {kind} for {command} {clause} ({check});\n");
        }
    }
    sql
}
