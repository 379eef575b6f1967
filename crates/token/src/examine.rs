//! The examination of a token: each rule with its result. It takes the same walk as a verification, see [`rules`](crate::rules).

use crate::Verified;
use crate::error::Error;
use crate::identity::Identity;
use crate::key_set::KeySet;
use crate::provider::Provider;
use crate::rule::{OF_PROVIDER, OF_PROXY, Rule};
use crate::rules::{self, Observer};
use crate::validity::Validity;

/// A rule, and its result for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// What met it, or the error; None if an earlier failure has prevented the check.
    pub result: Option<Result<String, Error>>,
}

/// An examined token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination<V> {
    /// All rules of the mode, in the order in which a verification checks them.
    pub findings: Vec<Finding>,
    /// The outcome: what a verification returns.
    pub outcome: Result<V, Error>,
}

/// Examines a token of a provider.
pub fn examine_provider_token<'a>(
    token: &[u8],
    providers: &[Provider],
    keys_of: impl Fn(usize) -> Result<&'a KeySet, Error>,
    validity: &Validity,
) -> Examination<Verified> {
    let mut seen = Seen::default();
    let outcome = rules::of_provider(token, providers, keys_of, validity, &mut seen);
    Examination {
        findings: seen.among(&OF_PROVIDER),
        outcome,
    }
}

/// Examines a token of proxy mode.
pub fn examine(token: &[u8], keys: &KeySet, validity: &Validity) -> Examination<Identity> {
    let mut seen = Seen::default();
    let outcome = rules::of_proxy(token, keys, validity, &mut seen);
    Examination {
        findings: seen.among(&OF_PROXY),
        outcome,
    }
}

/// The rules that were checked.
#[derive(Default)]
struct Seen(Vec<(Rule, Result<String, Error>)>);

impl Seen {
    fn among(&self, rules: &[Rule]) -> Vec<Finding> {
        let result = |rule| {
            self.0
                .iter()
                .find_map(|(seen, result)| (*seen == rule).then(|| result.clone()))
        };
        let finding = |rule: &Rule| Finding {
            rule: *rule,
            result: result(*rule),
        };
        rules.iter().map(finding).collect()
    }
}

impl Observer for Seen {
    fn passed(&mut self, rule: Rule, detail: impl FnOnce() -> String) {
        self.0.push((rule, Ok(detail())));
    }

    fn failed(&mut self, rule: Rule, error: &Error) -> bool {
        self.0.push((rule, Err(error.clone())));
        true
    }
}
