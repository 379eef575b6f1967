//! Random conditions on a row, most of them with sub-selects of this extension in them.

use super::xorshift::Xorshift;

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

/// A condition on the row of this name, with at most so many levels.
pub fn condition(random: &mut Xorshift, row: &str, levels: usize) -> String {
    if levels == 0 || random.once_in(3) {
        let leaves: &[&str] = if random.once_in(4) { &OTHERS } else { &OURS };
        return random.pick(leaves).replace('$', row);
    }
    let form = random.pick(&[
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
    ]);
    let mut parts = form.split('?');
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        text += &condition(random, row, levels - 1);
        text += part;
    }
    text
}
