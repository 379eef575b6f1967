//! Random JSON texts, and random changes of texts.

use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

/// A change of a text at some byte.
#[derive(Debug, Clone)]
pub struct Mutation {
    at: Index,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    Replace(u8),
    FlipBit(u8),
    Insert(u8),
    Remove,
    /// A stretch is there twice, or not at all.
    Repeat(usize),
    Cut(usize),
    Truncate,
}

pub fn mutation() -> impl Strategy<Value = Mutation> {
    let change = prop_oneof![
        any::<u8>().prop_map(Change::Replace),
        (0..8_u8).prop_map(Change::FlipBit),
        select(b".\"\\{A=0".as_slice()).prop_map(Change::Insert),
        Just(Change::Remove),
        (1..=8_usize).prop_map(Change::Repeat),
        (1..=8_usize).prop_map(Change::Cut),
        Just(Change::Truncate),
    ];
    (any::<Index>(), change).prop_map(|(at, change)| Mutation { at, change })
}

impl Mutation {
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            bytes.push(b'A');
            return;
        }
        let at = self.at.index(bytes.len());
        let end = |length: usize| (at + length).min(bytes.len());
        match self.change {
            Change::Replace(byte) => bytes[at] = byte,
            Change::FlipBit(bit) => bytes[at] ^= 1 << bit,
            Change::Insert(byte) => bytes.insert(at, byte),
            Change::Remove => drop(bytes.remove(at)),
            Change::Repeat(length) => bytes.extend_from_within(at..end(length)),
            Change::Cut(length) => drop(bytes.drain(at..end(length))),
            Change::Truncate => bytes.truncate(at),
        }
    }
}

/// A JSON text, mostly one that the verifier accepts.
pub fn json(depth: usize) -> BoxedStrategy<String> {
    let literal = select(&["null", "true", "false"]).prop_map(str::to_owned);
    let number = select(&[
        "0",
        "-1",
        "1.5",
        "1e3",
        "12345678901234567890123",
        "-0.0",
        "1e-400",
        "0.1e-7",
    ])
    .prop_map(str::to_owned);
    if depth == 0 {
        return prop_oneof![1 => literal, 1 => number, 3 => string()].boxed();
    }
    let array = vec(json(depth - 1), 0..4).prop_map(|elements| format!("[{}]", elements.join(" , ")));
    prop_oneof![1 => literal, 1 => number, 3 => string(), 1 => array, 1 => object(depth)].boxed()
}

/// A JSON text that is an object.
pub fn object(depth: usize) -> BoxedStrategy<String> {
    let member = (string(), json(depth.saturating_sub(1))).prop_map(|(name, value)| format!("{name}:{value}"));
    vec(member, 0..4)
        .prop_map(|members| format!("{{{}}}", members.join(",")))
        .boxed()
}

fn string() -> impl Strategy<Value = String> {
    vec(select(&PIECES), 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

const PIECES: [&str; 32] = [
    "a",
    "sub",
    "ä",
    "😀",
    "\u{7f}",
    "\u{85}",
    "/",
    r"\/",
    r#"\""#,
    r"\\",
    r"\n",
    r"\t",
    r"\b",
    r"\f",
    r"\r",
    r"\u0041",
    r"\u007f",
    r"\u0080",
    r"\u00e4",
    r"\u00E4",
    r"\u0416",
    r"\u20ac",
    r"\ufeff",
    r"\uffff",
    r"\uD83D\uDE00",
    r"\ud834\udd1e",
    r"\udbff\udfff",
    r"\\u00e4",
    r"\\\u00e4",
    r"\u005cu00e4",
    r"\u0022",
    r"\u001f",
];
