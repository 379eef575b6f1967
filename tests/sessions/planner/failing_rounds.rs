//! Tables, and what is drawn at random: policies whose conditions can fail, and statements on these tables.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::Strategy;
use proptest::sample::select;

use super::failing_conditions::{Kind, STATEMENTS, on_row};

/// Statements of each user, on average.
const STATEMENTS_OF_A_USER: usize = 6;

const TABLES: [&str; 5] = ["docs", "docs", "docs", "empty", "shut"];

/// The tables, whose rows have all the users of the conditions. `ALICE` stands for her user id.
pub const CREATE: &str = r"
    create table docs (id int primary key, user_id text, owner_id uuid, kind text, secret text, n int, is_public bool);
    create table empty (like docs including all);
    create table shut (like docs including all);
    create table ids as select id from generate_series(1, 100) id;
    create table kinds as values ('num');
    alter table kinds rename column column1 to kind;
    create table seen (what text);
    insert into docs select i, u, case when u = 'ALICE' then u::uuid end, case when i % 10 < 4 then 'num' else 'bad' end,
        '', case when i % 10 < 4 then 1 else 0 end, i % 10 < 4
        from generate_series(1, 100) i, lateral (select (array['alice', 'ALICE', 'user_2abc', null, 'bob', 'carol', 'dave',
            'erin', 'bob', 'carol'])[i % 10 + 1] u offset 0) v;
    insert into shut table docs;
    create index on docs (user_id);
    create index on docs (owner_id);
    create domain short as text check (length(value) < 3);
    create type colour as enum ('7');
    create function raises(text, text) returns bool stable cost 0.0001 language plpgsql as
        $$begin if $1 = 'hush' then raise 'saw %', $1 using errcode = 'P0123'; end if; return true; end$$;
    create function raises_dear(text, text) returns bool stable cost 10000 language plpgsql as
        'begin return raises($1, $2); end';
    create operator === (leftarg = text, rightarg = text, function = raises);
    create function see(text) returns void security definer language plpgsql as
        'begin insert into seen values ($1); end';
    create function sees(text) returns bool stable cost 0.0001 language plpgsql as
        'begin perform see($1); return true; end';
    create function free(text) returns bool stable cost 0.0000001 language plpgsql as $$begin return $1 = 'num'; end$$;
    create function cheap(text) returns bool stable cost 1 language plpgsql as $$begin return $1 = 'num'; end$$;
    create function dear(text) returns bool stable cost 100 language plpgsql as $$begin return $1 = 'num'; end$$;
    create function dearest(text) returns bool stable cost 10000 language plpgsql as $$begin return $1 = 'num'; end$$;
    analyze;
    -- So that a seed gives the same plans in each run.
    alter table docs set (autovacuum_enabled = off);
    alter table empty set (autovacuum_enabled = off);
    alter table shut set (autovacuum_enabled = off);
    alter table docs enable row level security;
    alter table empty enable row level security;
    alter table shut enable row level security;
    grant all on docs, empty, ids, kinds, seen to authenticated;";

#[derive(Debug)]
pub struct Round {
    /// Gives the rows their secrets and the tables their policies.
    pub setup: String,
    /// The statements of each user.
    pub statements: Vec<Vec<String>>,
    /// The statement of the session whose token has expired.
    pub expired: String,
}

pub fn round(kind: &'static Kind, users: usize) -> impl Strategy<Value = Round> {
    let policies = ["docs", "empty", "shut"].map(|table| policies_on(kind, table));
    let statements = vec(vec(statement(kind), 0..=2 * STATEMENTS_OF_A_USER), users);
    (policies, statements, statement(kind)).prop_map(|(policies, statements, expired)| Round {
        setup: format!("reset role; {}{}", secrets(kind), policies.concat()),
        statements,
        expired,
    })
}

fn secrets(kind: &Kind) -> String {
    let [good, bad] = kind.secrets.map(|secret| secret.replace('\'', "''"));
    format!("update docs set secret = case kind when 'num' then '{good}' else '{bad}' end;\n")
}

/// Drops the policies that there are, and makes others.
fn policies_on(kind: &'static Kind, table: &'static str) -> impl Strategy<Value = String> {
    let condition = move || kind.condition().prop_map(move |condition| on_row(&condition, table));
    let [check, more, less] = [1.0 / 2.0, 1.0 / 3.0, 1.0 / 3.0].map(|share| option::weighted(share, condition()));
    (condition(), check, more, less).prop_map(move |(using, check, more, less)| {
        let mut sql = String::new();
        for name in ["whole", "more", "less"] {
            sql += &format!("drop policy if exists {name} on {table};\n");
        }
        sql += &format!("create policy whole on {table} using ({using})");
        if let Some(check) = check {
            sql += &format!(" with check ({check})");
        }
        sql += ";\n";
        for (name, how, condition) in [("more", "permissive", more), ("less", "restrictive", less)] {
            if let Some(condition) = condition {
                sql += &format!("create policy {name} on {table} as {how} using ({condition});\n");
            }
        }
        sql
    })
}

fn statement(kind: &'static Kind) -> impl Strategy<Value = String> {
    // No statement has more than two conditions.
    let conditions = [kind.condition(), kind.condition()];
    (select(&STATEMENTS), select(&TABLES), conditions).prop_map(|(statement, table, conditions)| {
        let mut sql = statement.replace("$T", table);
        let mut conditions = conditions.iter();
        for index in ["$A", "$B"] {
            while sql.contains(index) {
                let condition = conditions.next().expect("at most two");
                sql = sql.replacen(index, &on_row(condition, "t"), 1);
            }
        }
        sql
    })
}
