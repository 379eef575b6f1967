//! The rules of a provider for the claims of its tokens: `"claims"`.
//!
//! ```json
//! {"azp": ["https://app.example.com", "https://admin.example.com"], "email_verified": true, "org_id": {"present": true}}
//! ```

use crate::claims::Claims;
use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::json::{Json, Members};
use crate::placeholder;

/// The maximum number of rules of a provider, and of the values of a rule. A token of 64 KiB can have 16,000 values in a
/// claim; each is compared with each value of its rule.
const MAX_VALUES: usize = 100;

/// A claim that a token must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRule {
    /// The name of the claim.
    claim: String,
    /// The values of which the claim must be or contain one. None: any value but `null`.
    values: Option<Vec<Scalar>>,
}

/// A value that can be compared exactly. Fractions are left out, because doubles are rounded.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scalar {
    Bool(bool),
    Integer(i64),
    String(String),
}

impl Scalar {
    fn of(value: &Json<'_>) -> Option<Scalar> {
        match value {
            Json::Bool(value) => Some(Scalar::Bool(*value)),
            Json::Integer(value) => Some(Scalar::Integer(*value)),
            Json::String(value) => Some(Scalar::String(value.as_ref().to_owned())),
            Json::Null | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
        }
    }

    fn is(&self, value: &Json<'_>) -> bool {
        match (self, value) {
            (Scalar::Bool(wanted), Json::Bool(value)) => wanted == value,
            (Scalar::Integer(wanted), Json::Integer(value)) => wanted == value,
            (Scalar::String(wanted), Json::String(value)) => wanted == value,
            _ => false,
        }
    }
}

impl ClaimRule {
    /// Reads the rules of a provider. An error is a predicate whose subject is the provider.
    pub(crate) fn parse_all(value: &Json<'_>) -> Result<Vec<ClaimRule>, String> {
        let Json::Object(members) = value else {
            return Err("has an invalid \"claims\": an object is required".to_owned());
        };
        match members.iter().count() {
            1..=MAX_VALUES => members
                .iter()
                .map(|(claim, value)| ClaimRule::parse(claim, value))
                .collect(),
            count => Err(format!(
                "has {count} rules in \"claims\"; 1 to {MAX_VALUES} are allowed"
            )),
        }
    }

    fn parse(claim: &str, value: &Json<'_>) -> Result<ClaimRule, String> {
        let invalid = |problem: &str| format!("has an invalid rule for claim \"{}\": {problem}", Excerpt::new(claim));
        let scalar = |value| {
            Scalar::of(value).ok_or_else(|| {
                invalid("a string, an integer, a boolean, a list of these or {\"present\": true} is required")
            })
        };
        if let Some(problem) = texts(value).find_map(|text| placeholder::problem("its rules for claims", text)) {
            return Err(problem);
        }
        let values = match value {
            Json::Object(members) if is_present(members) => None,
            Json::Array(list) if list.is_empty() || list.len() > MAX_VALUES => {
                let problem = format!("the list has {} values; 1 to {MAX_VALUES} are allowed", list.len());
                return Err(invalid(&problem));
            }
            Json::Array(list) => Some(list.iter().map(scalar).collect::<Result<_, _>>()?),
            one => Some(vec![scalar(one)?]),
        };
        Ok(ClaimRule {
            claim: claim.to_owned(),
            values,
        })
    }

    /// Whether no token fulfils both rules, if the claim is not a list.
    pub(crate) fn excludes(&self, other: &ClaimRule) -> bool {
        let differ = |a: &[Scalar], b: &[Scalar]| !a.iter().any(|value| b.contains(value));
        self.claim == other.claim && matches!((&self.values, &other.values), (Some(a), Some(b)) if differ(a, b))
    }

    /// Checks the claims of a token.
    ///
    /// # Errors
    /// [`Error::ClaimRule`].
    pub fn check(&self, claims: &Claims<'_>) -> Result<(), Error> {
        let value = claims.get(&self.claim).filter(|value| **value != Json::Null);
        let rejected = || Error::ClaimRule {
            claim: Excerpt::new(&self.claim),
            is_absent: value.is_none(),
        };
        let value = value.ok_or_else(rejected)?;
        let Some(values) = &self.values else {
            return Ok(());
        };
        let is_wanted = |value: &Json<'_>| values.iter().any(|wanted| wanted.is(value));
        let fulfils = match value {
            Json::Array(list) => list.iter().any(is_wanted),
            one => is_wanted(one),
        };
        if fulfils { Ok(()) } else { Err(rejected()) }
    }
}

/// The strings of a rule.
fn texts<'a>(value: &'a Json<'_>) -> impl Iterator<Item = &'a str> {
    let list = match value {
        Json::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().filter_map(Json::as_str)
}

/// Whether this is `{"present": true}`.
fn is_present(members: &Members<'_>) -> bool {
    members.iter().count() == 1 && members.get("present") == Some(&Json::Bool(true))
}
