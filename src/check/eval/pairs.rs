//! Sets of pairs: what one expression is in two sessions that read the same row. Plain Rust.
//!
//! The first session is *anonymous*: it has no identity. The second is *authenticated*: it has one.

use std::collections::BTreeMap;

use crate::check::eval::domain::Value::{False, True};
use crate::check::eval::domain::{ALL, Value, Values};

/// A set of pairs: the value in the anonymous session, and the value in the authenticated one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pairs(u32);

impl Pairs {
    pub const NONE: Pairs = Pairs(0);

    pub const fn one(anonymous: Value, authenticated: Value) -> Pairs {
        Pairs(1 << (anonymous as u32 * 5 + authenticated as u32))
    }

    /// Each value of the anonymous session with each of the authenticated one.
    pub fn free(anonymous: Values, authenticated: Values) -> Pairs {
        anonymous
            .each()
            .flat_map(|first| authenticated.each().map(move |second| Pairs::one(first, second)))
            .fold(Pairs::NONE, Pairs::or_else)
    }

    /// The same value in both sessions, as for everything that does not depend on the identity.
    pub fn same(values: Values) -> Pairs {
        values
            .each()
            .map(|value| Pairs::one(value, value))
            .fold(Pairs::NONE, Pairs::or_else)
    }

    /// The union of two sets.
    pub fn or_else(self, other: Pairs) -> Pairs {
        Pairs(self.0 | other.0)
    }

    pub fn each(self) -> impl Iterator<Item = (Value, Value)> {
        ALL.into_iter()
            .flat_map(|anonymous| ALL.into_iter().map(move |authenticated| (anonymous, authenticated)))
            .filter(move |(anonymous, authenticated)| self.0 & Pairs::one(*anonymous, *authenticated).0 != 0)
    }

    /// Whether the value can differ between the two sessions.
    pub fn depends_on_identity(self) -> bool {
        self.each().any(|(anonymous, authenticated)| anonymous != authenticated)
    }

    /// The results of a function of one value.
    pub fn map(self, f: impl Fn(Value) -> Values) -> Pairs {
        self.each()
            .map(|(anonymous, authenticated)| Pairs::free(f(anonymous), f(authenticated)))
            .fold(Pairs::NONE, Pairs::or_else)
    }

    /// The results of a function of two values.
    pub fn zip(self, other: Pairs, f: impl Fn(Value, Value) -> Values) -> Pairs {
        self.each()
            .flat_map(|left| other.each().map(move |right| (left, right)))
            .map(|(left, right)| Pairs::free(f(left.0, right.0), f(left.1, right.1)))
            .fold(Pairs::NONE, Pairs::or_else)
    }

    /// The same values, as if those of the two sessions had nothing to do with each other.
    pub fn apart(self) -> Pairs {
        let all = |pick: fn((Value, Value)) -> Value| self.each().map(pick).fold(Values::NONE, Values::with);
        Pairs::free(all(|(anonymous, _)| anonymous), all(|(_, authenticated)| authenticated))
    }

    pub fn and(self, other: Pairs) -> Pairs {
        self.zip(other, |a, b| a.and(b).into())
    }

    pub fn or(self, other: Pairs) -> Pairs {
        self.zip(other, |a, b| a.or(b).into())
    }

    pub fn not(self) -> Pairs {
        self.map(|value| value.not().into())
    }

    /// AND of any number of conditions; None where there are none.
    pub fn and_of(parts: impl IntoIterator<Item = Pairs>) -> Option<Pairs> {
        Pairs::combined(parts, Pairs::and)
    }

    /// OR of any number of conditions; None where there are none.
    pub fn or_of(parts: impl IntoIterator<Item = Pairs>) -> Option<Pairs> {
        Pairs::combined(parts, Pairs::or)
    }

    /// The order of the parts of AND and OR does not matter. Equal parts are therefore combined first, until one more of
    /// them changes nothing. A policy can have thousands of conditions, but only of a few kinds.
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

    /// AND over any number of rows, also none, each of which is one of these pairs.
    pub fn and_of_rows(self) -> Pairs {
        self.not().or_of_rows().not()
    }

    /// `then` where `self` is true, `otherwise` where it is not.
    pub fn choose(self, then: Pairs, otherwise: Pairs) -> Pairs {
        let pick = |condition, then, otherwise| if condition == True { then } else { otherwise };
        let mut all = Pairs::NONE;
        for condition in self.each() {
            for then in then.each() {
                for otherwise in otherwise.each() {
                    let anonymous = pick(condition.0, then.0, otherwise.0);
                    let authenticated = pick(condition.1, then.1, otherwise.1);
                    all = all.or_else(Pairs::one(anonymous, authenticated));
                }
            }
        }
        all
    }

    /// Whether it can be true in the anonymous session alone.
    pub fn can_favour_anonymous(self) -> bool {
        self.each()
            .any(|(anonymous, authenticated)| anonymous == True && authenticated != True)
    }

    /// Whether it is always true in both sessions.
    pub fn is_always_true(self) -> bool {
        self == Pairs::one(True, True)
    }

    /// The pairs with this value in the anonymous session; all of them if there is none.
    pub fn with_anonymous(self, value: Value) -> Pairs {
        let pairs = self.each().filter(|(anonymous, _)| *anonymous == value);
        let pairs = pairs.map(|(anonymous, authenticated)| Pairs::one(anonymous, authenticated));
        match pairs.fold(Pairs::NONE, Pairs::or_else) {
            Pairs::NONE => self,
            pairs => pairs,
        }
    }

    /// Whether it can be true in either session.
    pub fn can_be_true(self) -> bool {
        self.each()
            .any(|(anonymous, authenticated)| anonymous == True || authenticated == True)
    }

    /// Every value that it can have in the authenticated session.
    pub fn authenticated(self) -> Values {
        self.each().map(|(_, value)| value).fold(Values::NONE, Values::with)
    }

    /// Whether it can be true in the anonymous session.
    pub fn can_permit_anonymous(self) -> bool {
        self.each().any(|(anonymous, _)| anonymous == True)
    }

    /// Whether it is always true in the authenticated session, and never in the anonymous one.
    pub fn depends_only_on_being_authenticated(self) -> bool {
        let mut all = self.each();
        self != Pairs::NONE && all.all(|(anonymous, authenticated)| anonymous != True && authenticated == True)
    }
}
