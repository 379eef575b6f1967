//! What an expression of a policy can be, for two sessions that look at the same row: one in which nobody is known, and
//! one with somebody's identity. SQL's three-valued logic over sets of such pairs. Plain Rust.

/// What is known of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Null,
    False,
    True,
    /// Neither NULL nor a boolean.
    Other,
    /// The JSON `null`, which `auth.session()` is without an identity.
    JsonNull,
}

use std::collections::BTreeMap;

use Value::{False, JsonNull, Null, Other, True};

const ALL: [Value; 5] = [Null, False, True, Other, JsonNull];

/// A set of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Values(u8);

impl Values {
    pub const NONE: Values = Values(0);
    pub const BOOLEAN: Values = Values::of(&[Null, False, True]);
    pub const ANY: Values = Values::of(&[Null, Other]);

    pub const fn of(values: &[Value]) -> Values {
        let (mut set, mut at) = (0, 0);
        while at < values.len() {
            set |= 1 << values[at] as u8;
            at += 1;
        }
        Values(set)
    }

    pub fn with(self, value: Value) -> Values {
        Values(self.0 | 1 << value as u8)
    }

    fn each(self) -> impl Iterator<Item = Value> {
        ALL.into_iter().filter(move |value| self.0 & 1 << *value as u8 != 0)
    }
}

impl From<Value> for Values {
    fn from(value: Value) -> Values {
        Values::of(&[value])
    }
}

/// A set of pairs: the value for nobody, and that for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pairs(u32);

impl Pairs {
    pub const NONE: Pairs = Pairs(0);

    pub const fn one(nobody: Value, somebody: Value) -> Pairs {
        Pairs(1 << (nobody as u32 * 5 + somebody as u32))
    }

    /// Each value for nobody with each for somebody.
    pub fn free(nobody: Values, somebody: Values) -> Pairs {
        nobody
            .each()
            .flat_map(|n| somebody.each().map(move |s| Pairs::one(n, s)))
            .fold(Pairs::NONE, Pairs::or_else)
    }

    /// The same for both, as for everything that does not depend on the identity.
    pub fn same(values: Values) -> Pairs {
        values
            .each()
            .map(|value| Pairs::one(value, value))
            .fold(Pairs::NONE, Pairs::or_else)
    }

    /// What is in either set.
    pub fn or_else(self, other: Pairs) -> Pairs {
        Pairs(self.0 | other.0)
    }

    pub fn each(self) -> impl Iterator<Item = (Value, Value)> {
        ALL.into_iter()
            .flat_map(|n| ALL.into_iter().map(move |s| (n, s)))
            .filter(move |(n, s)| self.0 & Pairs::one(*n, *s).0 != 0)
    }

    /// Whether it is not the same for both.
    pub fn depends_on_identity(self) -> bool {
        self.each().any(|(n, s)| n != s)
    }

    /// What a function of one value makes of it.
    pub fn map(self, f: impl Fn(Value) -> Values) -> Pairs {
        self.each()
            .map(|(n, s)| Pairs::free(f(n), f(s)))
            .fold(Pairs::NONE, Pairs::or_else)
    }

    /// What a function of two values makes of them.
    pub fn zip(self, other: Pairs, f: impl Fn(Value, Value) -> Values) -> Pairs {
        self.each()
            .flat_map(|(n, s)| other.each().map(move |(m, t)| (n, m, s, t)))
            .map(|(n, m, s, t)| Pairs::free(f(n, m), f(s, t)))
            .fold(Pairs::NONE, Pairs::or_else)
    }

    /// The value for nobody from one session, the other from another, with nothing in common.
    pub fn apart(self) -> Pairs {
        let all = |pick: fn((Value, Value)) -> Value| {
            self.each()
                .map(pick)
                .fold(Values::NONE, |set, value| Values(set.0 | Values::from(value).0))
        };
        Pairs::free(all(|(n, _)| n), all(|(_, s)| s))
    }

    pub fn and(self, other: Pairs) -> Pairs {
        self.zip(other, |a, b| and(a, b).into())
    }

    pub fn or(self, other: Pairs) -> Pairs {
        self.zip(other, |a, b| or(a, b).into())
    }

    pub fn not(self) -> Pairs {
        self.map(|value| not(value).into())
    }

    /// AND of any number of conditions, None of none.
    pub fn and_of(parts: impl IntoIterator<Item = Pairs>) -> Option<Pairs> {
        Pairs::combined(parts, Pairs::and)
    }

    /// OR of any number of conditions, None of none.
    pub fn or_of(parts: impl IntoIterator<Item = Pairs>) -> Option<Pairs> {
        Pairs::combined(parts, Pairs::or)
    }

    /// AND and OR ask for no order. So equal parts are taken together, until one more of them changes nothing: a policy
    /// has thousands of conditions, and few kinds of them.
    fn combined(parts: impl IntoIterator<Item = Pairs>, two: fn(Pairs, Pairs) -> Pairs) -> Option<Pairs> {
        let mut times = BTreeMap::new();
        for part in parts {
            *times.entry(part).or_insert(0_usize) += 1;
        }
        let mut all: Option<Pairs> = None;
        for (part, times) in times {
            for _ in 0..times {
                let more = all.map_or(part, |all| two(all, part));
                if all == Some(more) {
                    break;
                }
                all = Some(more);
            }
        }
        all
    }

    /// OR over any number of rows, also none, each of which is one of these pairs.
    pub fn or_of_rows(self) -> Pairs {
        let mut all = Pairs::one(False, False);
        loop {
            let more = all.or_else(all.or(self));
            if more == all {
                return all;
            }
            all = more;
        }
    }

    /// AND over any number of rows.
    pub fn and_of_rows(self) -> Pairs {
        self.not().or_of_rows().not()
    }

    /// `self` decides, `then` where it is true, `otherwise` where it is not.
    pub fn choose(self, then: Pairs, otherwise: Pairs) -> Pairs {
        let pick = |condition, then, otherwise| if condition == True { then } else { otherwise };
        let mut all = Pairs::NONE;
        for (n, s) in self.each() {
            for (tn, ts) in then.each() {
                for (on, os) in otherwise.each() {
                    all = all.or_else(Pairs::one(pick(n, tn, on), pick(s, ts, os)));
                }
            }
        }
        all
    }

    /// Whether nobody passes where not everybody does.
    pub fn opens_for_nobody(self) -> bool {
        self.each().any(|(n, s)| n == True && s != True)
    }

    /// Whether everybody always passes.
    pub fn is_always_true(self) -> bool {
        self == Pairs::one(True, True)
    }

    /// Whether it can be true for nobody.
    pub fn lets_nobody_in(self) -> bool {
        self.each().any(|(n, _)| n == True)
    }

    /// Whether everybody who is known passes, and nobody else.
    pub fn asks_only_whether_known(self) -> bool {
        self != Pairs::NONE && self.each().all(|(n, s)| n != True && s == True)
    }
}

fn and(a: Value, b: Value) -> Value {
    match (a, b) {
        (False, _) | (_, False) => False,
        (True, True) => True,
        _ => Null,
    }
}

fn or(a: Value, b: Value) -> Value {
    match (a, b) {
        (True, _) | (_, True) => True,
        (False, False) => False,
        _ => Null,
    }
}

fn not(value: Value) -> Value {
    match value {
        True => False,
        False => True,
        _ => Null,
    }
}
