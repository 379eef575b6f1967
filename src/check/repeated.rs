//! Conditions on the row that stand more than once in a policy: `is_public` is the same in both places.

use std::collections::HashMap;
use std::ffi::CStr;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys::{self, Node};
use pgrx::prelude::*;

use crate::check::truth::Value;
use crate::check::truth::Value::{False, Null, True};

/// So many of them are told apart from others.
const MAX_REPEATED: usize = 4;

const VALUES: [Value; 3] = [Null, False, True];

/// Which value each of them has in a run.
#[derive(Debug, Default, Clone, Copy)]
pub struct Assignment([usize; MAX_REPEATED]);

/// The conditions, each with the number of what it repeats.
pub struct Repeated {
    numbers: HashMap<*mut Node, usize>,
    count: usize,
}

impl Repeated {
    pub fn among(atoms: &[*mut Node]) -> Repeated {
        let mut memory = PgMemoryContexts::new("pg_session_jwt: a condition as text");
        let keys = RandomState::new();
        let mut first: HashMap<u64, (*mut Node, Option<usize>)> = HashMap::new();
        let mut repeated = Repeated {
            numbers: HashMap::new(),
            count: 0,
        };
        for atom in atoms {
            check_for_interrupts!();
            // SAFETY: a number comes out of it.
            let key = unsafe { memory.switch_to(|_| key(&keys, *atom)) };
            // SAFETY: as above.
            unsafe { memory.reset() };
            let (same, number) = first.entry(key).or_insert((*atom, None));
            if *same == *atom || !equal(*same, *atom) {
                continue;
            }
            if number.is_none() && repeated.count < MAX_REPEATED {
                *number = Some(repeated.count);
                repeated.count += 1;
            }
            if let Some(number) = *number {
                repeated.numbers.insert(*same, number);
                repeated.numbers.insert(*atom, number);
            }
        }
        repeated
    }

    pub fn is_none(&self) -> bool {
        self.count == 0
    }

    /// Each way to give them values.
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

    /// None for a condition that is none of them.
    pub fn value(&self, atom: *mut Node, assignment: Assignment) -> Option<Value> {
        self.numbers.get(&atom).map(|number| VALUES[assignment.0[*number]])
    }
}

/// The same for expressions that are [`equal`], and in all likelihood for no others: then each has to be compared with one
/// other only. The hash is another one in each process, so that nobody can write a policy whose conditions have one.
fn key(keys: &RandomState, atom: *mut Node) -> u64 {
    // SAFETY: an expression; it is written into the current memory context.
    let text = unsafe { pg_sys::nodeToString(atom.cast()) };
    // SAFETY: a C string, as just returned.
    let text = unsafe { CStr::from_ptr(text) }.to_bytes();
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

/// What PostgreSQL's `equal` does not compare: where something stands in the text, and how it is written.
const IGNORED: [&[u8]; 5] = [b"location", b"stmt_len", b"format", b"varnosyn", b"varattnosyn"];

fn equal(a: *mut Node, b: *mut Node) -> bool {
    // SAFETY: two expressions, which are compared and not changed.
    unsafe { pg_sys::equal(a.cast(), b.cast()) }
}
