//! Random cases. A case that fails is shrunk to the shortest one that still fails.

use std::cell::RefCell;
use std::env;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

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

/// Cases, each with a seed. A failure prints its seed, with which the case is the first of a run.
pub struct Seeds {
    variable: &'static str,
    /// How much is to be tested: the value of the variable.
    pub wanted: u64,
    /// The seed of the first case: the value of the variable whose name ends with `_SEED`, or the clock.
    pub first: u64,
    next: u64,
}

impl Seeds {
    pub fn from_environment(variable: &'static str, default: u64) -> Seeds {
        let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
        let first = number(&format!("{variable}_SEED")).unwrap_or_else(|| {
            let since_1970 = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .expect("a clock after 1970");
            u64::try_from(since_1970.as_micros()).expect("a clock before the year 586000")
        });
        Seeds {
            variable,
            wanted: number(variable).unwrap_or(default),
            first,
            next: first,
        }
    }

    /// Tests the next case, and panics with the shortest one like it that fails.
    #[track_caller]
    pub fn test<S: Strategy>(&mut self, strategy: &S, test: impl FnMut(S::Value) -> Result<(), String>) {
        if let Err(failure) = run(self.next, 1, strategy, test) {
            panic!("{}_SEED={} repeats it: {failure}", self.variable, self.next);
        }
        self.next = self.next.wrapping_add(1);
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
