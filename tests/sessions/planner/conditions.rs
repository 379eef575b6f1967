//! Random conditions on a row, most of them with sub-selects of this extension in them.

use proptest::prelude::{BoxedStrategy, Strategy as _, prop_oneof};
use proptest::sample::select;

/// `$` is the row's name.
const OURS: [&str; 22] = [
    "(select auth.user_id() = $.user_id)",
    "(select auth.user_id() = $.user_id)",
    "(select auth.user_id() = $.user_id)",
    "(select $.user_id = auth.user_id())",
    "(select auth.jwt() ->> 'sub' = $.user_id)",
    "(select auth.session() ->> 'sub' = $.user_id)",
    "(select (auth.user_id() = $.user_id or $.flag))",
    "(select auth.user_id() = $.user_id and $.n > 1)",
    "(select not auth.user_id() = $.user_id)",
    "(select auth.user_id() <> $.user_id)",
    "(select auth.user_id() is distinct from $.user_id)",
    "(select auth.user_id() is null or $.n > 2)",
    "(select (auth.user_id() = $.user_id) is not true)",
    "(select coalesce(auth.user_id() = $.user_id, $.flag))",
    "(select nullif(auth.user_id(), 'bob') = $.user_id)",
    "(select auth.user_id() || '' = $.user_id)",
    "(select $.user_id = any (array[auth.user_id(), 'bob', null]))",
    "(select $.user_id collate \"C\" <= auth.user_id())",
    "(select length(auth.user_id()) > $.n)",
    "(select auth.uid() is null and $.flag)",
    "(select auth.user_id() = $.user_id or $ is null)",
    "(select case when $.flag then auth.user_id() = $.user_id else $.n > 3 end)",
];

const OTHERS: [&str; 10] = [
    "(select auth.user_id()) = $.user_id",
    "auth.user_id() = $.user_id",
    "$.user_id = (select auth.jwt() ->> 'sub')",
    "(select auth.user_id()) is not null",
    "(select auth.user_id() = $.user_id limit 1)",
    "(select lower($.user_id) = 'bob')",
    "$.flag",
    "$.n % 2 = 0",
    "$.user_id is null",
    "$.id between 5 and 40",
];

const FORMS: [&str; 13] = [
    "(? and ?)",
    "(? and ? and ?)",
    "(? or ?)",
    "(? or ? or ?)",
    "not ?",
    "coalesce(?, ?)",
    "coalesce(?, false)",
    "case when ? then ? else ? end",
    "(?) is null",
    "(?) is not true",
    "(?) is not false",
    "(?) is distinct from (?)",
    "(?) = (?)",
];

/// Conditions on a row, whose name is `$`, with at most so many levels.
pub fn condition(levels: usize) -> BoxedStrategy<String> {
    let leaf = prop_oneof![3 => select(&OURS), 1 => select(&OTHERS)].prop_map(str::to_owned);
    if levels == 0 {
        return leaf.boxed();
    }
    let inner = || condition(levels - 1);
    let nested = (select(&FORMS), [inner(), inner(), inner()]).prop_map(|(form, conditions)| {
        let mut text = form.to_owned();
        for condition in conditions {
            text = text.replacen('?', &condition, 1);
        }
        text
    });
    prop_oneof![1 => leaf, 2 => nested].boxed()
}
