//! Conditions that can fail, each with this extension's readers in its sub-select, and guards of every cost beside them.

use proptest::prelude::Strategy;
use proptest::sample::select;

/// A way to fail. All rows of others have the same failing value, so that the message does not depend on which row comes
/// first.
pub struct Kind {
    /// The values of the column `secret` in the rows that the guards let pass, and in all others.
    pub secrets: [&'static str; 2],
    /// `$` is the row's name.
    pub conditions: &'static [&'static str],
}

pub const KINDS: [Kind; 12] = [
    Kind {
        secrets: ["7", "hush"],
        conditions: &[
            "(select (auth.user_id() = $.user_id) = ($.secret::int > 0))",
            "(select auth.user_id() = $.user_id and $.secret::int > 0)",
            "(select coalesce(auth.user_id() = $.user_id, $.secret::int > 0))",
            "(select $.secret::int >= length(auth.user_id()) - 99)",
            "(select (auth.user_id() is null) = ($.secret::int < 0))",
        ],
    },
    Kind {
        secrets: ["7", "7"],
        conditions: &[
            "(select auth.user_id()::uuid = $.owner_id)",
            "(select auth.user_id()::uuid is not distinct from $.owner_id)",
            "(select $.owner_id = any (array[auth.user_id()::uuid, null]))",
        ],
    },
    Kind {
        secrets: ["7", "7"],
        conditions: &[
            "(select (10 / $.n > 0) = (auth.user_id() = $.user_id))",
            "(select length(auth.user_id()) % $.n = 0)",
        ],
    },
    Kind {
        secrets: ["2020-01-01", "hush"],
        conditions: &[
            "(select ($.secret::date > '2000-01-01') = (auth.user_id() = $.user_id))",
            "(select $.secret::date > coalesce(auth.session() ->> 'since', '2000-01-01')::date)",
        ],
    },
    Kind {
        secrets: [r#"{"a": 1}"#, "hush"],
        conditions: &[
            "(select auth.session() @> $.secret::jsonb or auth.user_id() = $.user_id)",
            "(select auth.session() @> $.secret::jsonb is not true and auth.user_id() = $.user_id)",
            "(select ($.secret::jsonb ->> 'a') <> auth.user_id())",
            "(select (($.secret::jsonb -> 'a')::int > 0) = (auth.user_id() = $.user_id))",
        ],
    },
    Kind {
        secrets: ["{alice,user_2abc}", "hush"],
        conditions: &[
            "(select auth.user_id() = any ($.secret::text[]))",
            "(select ($.secret::text[])[1] <> auth.user_id() or true)",
            "(select array[auth.user_id()] <@ $.secret::text[])",
        ],
    },
    Kind {
        secrets: ["7", "hush"],
        conditions: &[
            "(select raises($.secret, auth.user_id()))",
            "(select raises($.secret, auth.user_id()) = (auth.user_id() = $.user_id))",
            "(select raises_dear($.secret, auth.user_id()))",
            "(select $.secret === auth.user_id())",
        ],
    },
    Kind {
        secrets: ["^a", "("],
        conditions: &[
            "(select auth.user_id() ~ $.secret)",
            "(select auth.user_id() !~ $.secret)",
        ],
    },
    Kind {
        secrets: ["a%", r"\"],
        conditions: &[
            "(select auth.user_id() like $.secret)",
            "(select auth.user_id() not like $.secret)",
        ],
    },
    Kind {
        secrets: ["7", "hush"],
        conditions: &[
            "(select $.secret::short <> auth.user_id())",
            "(select $.secret::colour::text <> auth.user_id())",
        ],
    },
    Kind {
        secrets: ["7", "7"],
        conditions: &[
            "(select (auth.session() ->> 'level')::int > $.n)",
            "(select (auth.session() ->> 'level')::int = $.id)",
            "(select $.id = (auth.jwt() ->> 'level')::int)",
        ],
    },
    // Its arguments are stored, and compared.
    Kind {
        secrets: ["7", "hush"],
        conditions: &[
            "(select sees($.secret || $.id) and auth.user_id() = $.user_id)",
            "(select sees($.secret || $.id) = (auth.user_id() = $.user_id))",
            "(select sees(auth.user_id() || $.id))",
        ],
    },
];

/// Guards that rows of others do not pass. The planner evaluates the cheaper condition first.
const GUARDS: [&str; 14] = [
    "$.kind = 'num'",
    "$.n <> 0",
    "$.is_public",
    "$.kind in ('num', 'none')",
    "$.kind ~ '^num$'",
    "substr(lower(trim(upper(trim(lower($.kind))))), 1, 3) = 'num'",
    "md5(md5(md5($.kind))) = md5(md5(md5('num')))",
    "case when $.kind = 'num' then true end",
    "free($.kind)",
    "cheap($.kind)",
    "dear($.kind)",
    "dearest($.kind)",
    "exists (select from kinds k where k.kind = $.kind)",
    "(select lower($.kind)) = 'num'",
];

/// Conditions that cannot fail and may be moved, and similar ones.
const HARMLESS: [&str; 8] = [
    "(select auth.user_id() = $.user_id)",
    "(select auth.user_id() = $.user_id)",
    "(select $.user_id = auth.user_id())",
    "(select auth.uid() = $.owner_id)",
    "(select auth.user_id() = $.owner_id::text)",
    "(select auth.user_id()) = $.user_id",
    "auth.user_id() = $.user_id",
    "$.id > 3",
];

const FORMS: [&str; 18] = [
    "F",
    "G and F",
    "F and G",
    "G and F and H",
    "(not G or F)",
    "not (G and F)",
    "(H or F)",
    "(G and (F or H))",
    "((G and F) or H)",
    "((G and F) or (G and H))",
    "case when G then F else false end",
    "case when H then F end",
    "coalesce(nullif(G, true), F)",
    "coalesce(H, F)",
    "(F) is not true",
    "(F) is distinct from (H)",
    "(G and H)",
    "H",
];

impl Kind {
    /// A condition on a row, whose name is `$`.
    pub fn condition(&'static self) -> impl Strategy<Value = String> {
        // No form has a letter more than twice.
        let own = || select(self.conditions);
        let guards = [select(&GUARDS), select(&GUARDS)];
        let harmless = [select(&HARMLESS), select(&HARMLESS)];
        (select(&FORMS), [own(), own()], guards, harmless).prop_map(|(form, own, guards, harmless)| {
            let (mut own, mut guards, mut harmless) = (own.into_iter(), guards.into_iter(), harmless.into_iter());
            form.chars()
                .map(|letter| match letter {
                    'F' => own.next().expect("at most two").to_owned(),
                    'G' => guards.next().expect("at most two").to_owned(),
                    'H' => harmless.next().expect("at most two").to_owned(),
                    _ => letter.to_string(),
                })
                .collect()
        })
    }
}

/// A condition on the row of this name.
pub fn on_row(condition: &str, row: &str) -> String {
    condition.replace("$.", &format!("{row}."))
}

/// Statements with such conditions: `$T` is a table, `$A` and `$B` are conditions on `t`. Where there is a join, the other
/// table has a row for each, so that no plan reads fewer.
pub const STATEMENTS: [&str; 18] = [
    "select id, user_id from $T t",
    "select id, user_id from $T t where $A",
    "select id from $T t where $A and $B",
    "select count(*) from $T t where $A or $B",
    "select t.id from ids i join $T t on t.id = i.id and $A",
    "select i.id, t.id from ids i left join $T t on t.id = i.id and $A",
    "select id from ids i where exists (select from $T t where t.id = i.id and $A)",
    "with w as materialized (select * from $T t where $A) select id from w t where $B",
    "update $T t set is_public = true where $A returning id",
    "update $T t set user_id = 'alice' where id < 9 returning id",
    "delete from $T t where $A returning id",
    "insert into $T values (101, 'alice', null, 'num', '7', 1, true) returning id",
    "insert into $T values (101, auth.user_id(), null, 'bad', '7', 0, false) returning id",
    "insert into $T as t select id, 'alice', null, 'num', '7', 1, true from ids where id in (7, 102)
         on conflict (id) do update set n = 5 where $A returning id",
    "insert into $T as t select id + 200, user_id, owner_id, kind, secret, n, is_public from $T t where $A returning id",
    "merge into $T t using ids i on t.id = i.id and $A when matched and $B then update set n = 6",
    "merge into $T t using ids i on t.id = i.id when matched and $A then delete
         when not matched then insert values (i.id + 300, 'alice', null, 'num', '7', 1, true)",
    "select id from $T t where id = 0 and $A",
];
