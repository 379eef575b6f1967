//! Random cases. A case that fails is shrunk to the shortest one that still fails.

use std::cell::RefCell;
use std::fmt::Write as _;

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

/// Replays of a case that fails, and their time in milliseconds, after which the shortest so far is reported.
const MAX_REPLAYS: u32 = 20_000;
const MAX_MILLISECONDS: u32 = 300_000;

/// Tests cases, which are the same for the same seed. Returns why the shortest one fails, and the case itself. A test fails
/// by its answer or by a panic.
pub fn run<S: Strategy>(
    seed: u64,
    cases: u32,
    strategy: &S,
    test: impl FnMut(S::Value) -> Result<(), String>,
) -> Result<(), String> {
    let test = RefCell::new(test);
    let outcome = runner(seed, cases).run(strategy, |case| (*test.borrow_mut())(case).map_err(TestCaseError::fail));
    outcome.map_err(|error| match error {
        TestError::Abort(reason) => reason.to_string(),
        TestError::Fail(reason, case) => {
            let mut text = reason.to_string();
            write!(text, "\nThe case: {case:?}").unwrap();
            text
        }
    })
}

/// Like [`run`], but panics with the shortest case that fails.
#[track_caller]
pub fn check<S: Strategy>(seed: u64, cases: u32, strategy: &S, mut test: impl FnMut(S::Value)) {
    let outcome = run(seed, cases, strategy, |case| {
        test(case);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// One value of a strategy, which is the same for the same seed.
pub fn value<S: Strategy>(seed: u64, strategy: &S) -> S::Value {
    strategy
        .new_tree(&mut runner(seed, 1))
        .expect("no value is rejected")
        .current()
}

fn runner(seed: u64, cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        // The seed repeats a failure; no file has to.
        failure_persistence: None,
        max_shrink_iters: MAX_REPLAYS,
        max_shrink_time: MAX_MILLISECONDS,
        ..Config::default()
    })
}
