//! The random parts of a statement.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

use super::{READERS, sites, statements};

/// The actions of the user code in sequence; frequent entries are drawn more often.
const STEPS: [&str; 14] = [
    "become", "become", "become", "become", "again", "again", "again", "again", "allocate", "none", "role", "setting",
    "undone", "aside",
];

/// PostgreSQL's ways to run the same statement.
const METHODS: [&str; 7] = [
    "",
    "",
    "",
    "set local plan_cache_mode = force_generic_plan; ",
    "set local plan_cache_mode = force_custom_plan; ",
    "set local enable_hashagg = off; ",
    "set local work_mem = '64kB'; ",
];

/// Compiles each statement of each function as well, which takes longer than everything else.
const JIT: &str = "set local jit = on; set local jit_above_cost = 0; set local jit_inline_above_cost = 0; ";

#[derive(Debug)]
pub struct Draw {
    /// The mode, as an index.
    pub site: usize,
    /// The reader and its type.
    pub reader: (&'static str, &'static str),
    /// The function with a call site that the user code calls again.
    pub function: &'static str,
    pub form: Form,
    pub rows: usize,
    pub program: String,
    pub levels: usize,
    pub method: &'static str,
}

/// What calls the reader.
#[derive(Debug, Clone)]
pub enum Form {
    Function,
    Statement(&'static str),
    Copy,
    Parallel(&'static str),
    Foreign(&'static str),
}

/// `foreign`: whether there are foreign tables.
pub fn draw(foreign: bool) -> impl Strategy<Value = Draw> {
    let form = prop_oneof![
        9 => Just(Form::Function),
        8 => select(&statements::STATEMENTS).prop_map(Form::Statement),
        1 => Just(Form::Copy),
        1 => select(&statements::PARALLEL).prop_map(Form::Parallel),
        1 => select(&statements::FOREIGN).prop_map(move |sql| match foreign {
            true => Form::Foreign(sql),
            false => Form::Statement(statements::STATEMENTS[0]),
        }),
    ];
    let function = prop_oneof![
        3 => select(sites::PLPGSQL.map(|(name, ..)| name).to_vec()),
        1 => select(sites::SQL.map(|(name, _)| name).to_vec()),
    ];
    let method = prop_oneof![59 => select(&METHODS), 1 => Just(JIT)];
    let of_reader = (select(&READERS), function, form);
    (0..3_usize, of_reader, 2..7_usize, program(), 1..7_usize, method).prop_map(
        |(site, (reader, function, form), rows, program, levels, method)| Draw {
            site,
            reader,
            function,
            form,
            rows,
            program,
            levels,
            method,
        },
    )
}

/// Becomes another user and calls again, with up to five other steps between.
fn program() -> impl Strategy<Value = String> {
    vec((any::<Index>(), select(&STEPS)), 0..6).prop_map(|others| {
        let mut steps = vec!["become", "again"];
        for (at, step) in others {
            steps.insert(at.index(steps.len() + 1), step);
        }
        steps.join(" ")
    })
}
