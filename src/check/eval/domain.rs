//! The values of the interpreter: SQL's three-valued logic and JSON's null. Plain Rust.

use Value::{False, JsonNull, Null, Other, True};

/// What is known of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Null,
    False,
    True,
    /// Neither NULL nor a boolean.
    Other,
    /// The JSON `null`, which `auth.session()` returns without an identity.
    JsonNull,
}

impl Value {
    pub fn and(self, other: Value) -> Value {
        match (self, other) {
            (False, _) | (_, False) => False,
            (True, True) => True,
            _ => Null,
        }
    }

    pub fn or(self, other: Value) -> Value {
        match (self, other) {
            (True, _) | (_, True) => True,
            (False, False) => False,
            _ => Null,
        }
    }

    pub fn not(self) -> Value {
        match self {
            True => False,
            False => True,
            _ => Null,
        }
    }
}

/// All values.
pub const ALL: [Value; 5] = [Null, False, True, Other, JsonNull];

/// A set of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Values(u8);

impl Values {
    pub const NONE: Values = Values(0);
    pub const BOOLEAN: Values = Values::of(&[Null, False, True]);
    pub const ANY: Values = Values::of(&[Null, Other]);

    pub const fn of(values: &[Value]) -> Values {
        let (mut set, mut index) = (0, 0);
        while index < values.len() {
            set |= 1 << values[index] as u8;
            index += 1;
        }
        Values(set)
    }

    /// True or False alone.
    pub fn boolean(is_true: bool) -> Values {
        if is_true { True.into() } else { False.into() }
    }

    pub fn with(self, value: Value) -> Values {
        Values(self.0 | 1 << value as u8)
    }

    pub fn each(self) -> impl Iterator<Item = Value> {
        ALL.into_iter().filter(move |value| self.0 & 1 << *value as u8 != 0)
    }
}

impl From<Value> for Values {
    fn from(value: Value) -> Values {
        Values::of(&[value])
    }
}
