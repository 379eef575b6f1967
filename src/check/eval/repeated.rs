//! Conditions on the row that a policy contains more than once: `is_public` has the same value at both positions.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use pgrx::prelude::*;

use crate::check::eval::domain::Value;
use crate::check::eval::domain::Value::{False, Null, True};
use crate::pg::memory::Scratch;
use crate::pg::nodes::NodeRef;

/// The number of repeated conditions that are distinguished from the others.
const MAX_REPEATED: usize = 4;

const VALUES: [Value; 3] = [Null, False, True];

/// The value of each repeated condition in one run.
#[derive(Debug, Default, Clone, Copy)]
pub struct Assignment([usize; MAX_REPEATED]);

/// The repeated conditions. Equal conditions have the same number.
pub struct Repeated<'t> {
    numbers: HashMap<NodeRef<'t>, usize>,
    count: usize,
}

impl<'t> Repeated<'t> {
    /// The repeated ones among all conditions of an expression.
    pub fn among(conditions: &[NodeRef<'t>]) -> Repeated<'t> {
        let mut scratch = Scratch::new("pg_session_jwt: a condition as text");
        let keys = RandomState::new();
        let mut first: HashMap<u64, (NodeRef<'t>, Option<usize>)> = HashMap::new();
        let mut repeated = Repeated {
            numbers: HashMap::new(),
            count: 0,
        };
        for condition in conditions {
            check_for_interrupts!();
            let key = scratch.run(|arena| key(&keys, arena.text_of(*condition)));
            let (same, number) = first.entry(key).or_insert((*condition, None));
            if *same == *condition || !same.equals(*condition) {
                continue;
            }
            if number.is_none() && repeated.count < MAX_REPEATED {
                *number = Some(repeated.count);
                repeated.count += 1;
            }
            if let Some(number) = *number {
                repeated.numbers.insert(*same, number);
                repeated.numbers.insert(*condition, number);
            }
        }
        repeated
    }

    pub fn is_none(&self) -> bool {
        self.count == 0
    }

    /// Each way to assign values to the conditions.
    pub fn assignments(&self) -> impl Iterator<Item = Assignment> {
        let all = VALUES.len().pow(u32::try_from(self.count).unwrap_or(0));
        (0..all).map(|mut rest| {
            Assignment(std::array::from_fn(|_| {
                let value = rest % VALUES.len();
                rest /= VALUES.len();
                value
            }))
        })
    }

    /// The value that is assigned to a condition; None for a condition that is not repeated.
    pub fn value(&self, condition: NodeRef<'t>, assignment: Assignment) -> Option<Value> {
        self.numbers.get(&condition).map(|number| VALUES[assignment.0[*number]])
    }
}

/// The same key for texts of equal conditions, and very probably for no others, so that each condition is compared with
/// only one other. The hash differs in each process, so that no policy can be written whose conditions share a key.
fn key(keys: &RandomState, text: &[u8]) -> u64 {
    let mut hasher = keys.build_hasher();
    let mut is_ignored = false;
    for word in text.split(|byte| *byte == b' ') {
        let counts = match is_ignored {
            true => word
                .trim_ascii_start()
                .iter()
                .position(|byte| !b"-0123456789".contains(byte)),
            false => Some(0),
        };
        if let Some(word) = counts.and_then(|start| word.get(start..)) {
            hasher.write(word);
            hasher.write_u8(b' ');
        }
        is_ignored = IGNORED.iter().any(|end| word.starts_with(b":") && word.ends_with(end));
    }
    hasher.finish()
}

/// Members that PostgreSQL's `equal` ignores: the position in the text, and the spelling.
const IGNORED: [&[u8]; 5] = [b"location", b"stmt_len", b"format", b"varnosyn", b"varattnosyn"];
