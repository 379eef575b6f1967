//! What is drawn at random, before the model knows the state in which it is played. Each part shrinks by itself.

use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

use super::model::{Model, Name};
use super::site::{CLAIMS, FALLBACK, Key, LEEWAY, PROVIDERS, ROLES, SCOPE, Time, Token};
use super::step::{Step, WAYS};

/// Sequences that one session plays one after the other, on average: what the first leaves behind, the next must not feel.
const IN_ONE_SESSION: usize = 5;

/// Steps of a sequence, on average.
const STEPS: usize = 30;

/// A session: its login, the server's file, the token of its startup packet, and its sequences.
#[derive(Debug, Clone)]
pub struct Case {
    pub superuser: bool,
    pub has_jwk: bool,
    pub providers: usize,
    pub starter: Option<NewToken>,
    pub sequences: Vec<Vec<Draw>>,
}

/// A step. Its token, if it has one, is drawn beside it.
#[derive(Debug, Clone)]
pub struct Draw {
    step: Step,
    token: Option<DrawnToken>,
    /// What is played instead where the transaction has failed.
    if_failed: Option<Step>,
}

#[derive(Debug, Clone)]
struct DrawnToken {
    /// A token that the session has seen, if there is one.
    again: Option<Index>,
    new: NewToken,
}

#[derive(Debug, Clone)]
pub struct NewToken {
    is_token: bool,
    /// Signed by a key that is trusted now, if there is one.
    trusted: bool,
    key: Index,
    time: Time,
    jti: usize,
}

/// Makes a step of its one part.
type Make<T> = fn(T) -> Step;

/// The settings, with the number of their values. The role is there twice, since most depends on it.
const SETTINGS: [(Name, usize); 8] = [
    (Name::Jwt, 1),
    (Name::Providers, PROVIDERS.len()),
    (Name::Claims, CLAIMS.len()),
    (Name::Fallback, FALLBACK.len()),
    (Name::Leeway, LEEWAY.len()),
    (Name::Scope, SCOPE.len()),
    (Name::Role, ROLES.len()),
    (Name::Role, ROLES.len()),
];

pub fn case() -> impl Strategy<Value = Case> {
    // Half of the sessions begin in a weaker mode.
    let providers = prop_oneof![Just(0), 0..PROVIDERS.len()];
    // From one to nearly twice the average, so that a case can lose steps and whole sequences when it shrinks.
    let sequences = vec(vec(draw(), 1..2 * STEPS), 1..2 * IN_ONE_SESSION);
    (
        weighted(2.0 / 3.0),
        any::<bool>(),
        providers,
        option::of(new_token()),
        sequences,
    )
        .prop_map(|(superuser, has_jwk, providers, starter, sequences)| Case {
            superuser,
            has_jwk,
            providers,
            starter,
            sequences,
        })
}

/// Of a hundred steps, the number of each kind. Simpler steps come first.
///
/// Each alternative that is before the one drawn costs time, so steps that are alike are one alternative.
fn draw() -> impl Strategy<Value = Draw> {
    let step = prop_oneof![
        19 => plain().prop_map(without_token),
        15 => of_savepoint().prop_map(without_token),
        7 => end().prop_map(without_token),
        18 => (setting(), weighted(0.75), any::<bool>()).prop_map(|((name, value), has_value, is_local)| {
            let value = has_value.then_some(value);
            without_token(Step::Assign { name, value, is_local })
        }),
        7 => setting().prop_map(|(name, value)| without_token(Step::Around { name, value })),
        22 => (select(&WAYS), token()).prop_map(|(way, new)| (Step::Present { token: 0, way }, Some(new))),
        10 => (call(), token()).prop_map(|(step, new)| (step, Some(new))),
        2 => (0..PROVIDERS.len()).prop_map(|providers| without_token(Step::Reload(providers))),
    ];
    (step, option::weighted(0.75, recovery())).prop_map(|((step, token), if_failed)| Draw { step, token, if_failed })
}

fn without_token(step: Step) -> (Step, Option<DrawnToken>) {
    (step, None)
}

fn plain() -> impl Strategy<Value = Step> {
    let steps = [
        (1, Step::Read),
        (2, Step::AsAnonymous),
        (1, Step::WithClaims),
        (2, Step::Fail),
        (2, Step::ResetAll),
        (1, Step::DiscardAll),
        (10, Step::Begin),
    ];
    select(repeated(&steps))
}

fn of_savepoint() -> impl Strategy<Value = Step> {
    let steps: [(usize, Make<usize>); 3] = [(8, Step::Savepoint), (3, Step::Release), (4, Step::RollbackTo)];
    (select(repeated(&steps)), 0..3_usize).prop_map(|(step, name)| step(name))
}

fn end() -> impl Strategy<Value = Step> {
    let steps: [(usize, Make<bool>); 2] = [
        (4, |chain| Step::Commit { chain }),
        (3, |chain| Step::Rollback { chain }),
    ];
    (select(repeated(&steps)), weighted(1.0 / 8.0)).prop_map(|(step, chain)| step(chain))
}

/// A function that presents a token.
fn call() -> impl Strategy<Value = Step> {
    let steps: [(usize, Make<bool>); 4] = [
        (3, |is_local| Step::Swallowed { token: 0, is_local }),
        (2, |is_local| Step::Undone { token: 0, is_local }),
        (3, |is_local| Step::Inside { token: 0, is_local }),
        (2, |is_local| Step::Committed { token: 0, is_local }),
    ];
    (select(repeated(&steps)), any::<bool>()).prop_map(|(step, is_local)| step(is_local))
}

/// A step that ends a failed transaction.
fn recovery() -> impl Strategy<Value = Step> {
    (0..4, 0..3_usize, weighted(1.0 / 8.0)).prop_map(|(kind, name, chain)| match kind {
        0 => Step::Rollback { chain },
        1 => Step::Commit { chain },
        _ => Step::RollbackTo(name),
    })
}

/// Each value as often as its number says.
fn repeated<T: Clone>(values: &[(usize, T)]) -> Vec<T> {
    let repeated = values.iter().map(|(number, value)| vec![value.clone(); *number]);
    repeated.collect::<Vec<_>>().concat()
}

/// A setting and one of its values.
fn setting() -> impl Strategy<Value = (Name, usize)> {
    (select(&SETTINGS), any::<Index>()).prop_map(|((name, values), value)| (name, value.index(values)))
}

fn token() -> impl Strategy<Value = DrawnToken> {
    (option::weighted(1.0 / 3.0, any::<Index>()), new_token()).prop_map(|(again, new)| DrawnToken { again, new })
}

/// More than half are of a key that is trusted, and in time.
fn new_token() -> impl Strategy<Value = NewToken> {
    let times = [
        (3, Time::Always),
        (5, Time::Now),
        (1, Time::JustPast),
        (1, Time::JustAhead),
        (1, Time::Past),
        (1, Time::Ahead),
    ];
    let time = select(repeated(&times));
    (weighted(0.95), weighted(2.0 / 3.0), any::<Index>(), time, 0..8_usize).prop_map(
        |(is_token, trusted, key, time, jti)| NewToken {
            is_token,
            trusted,
            key,
            time,
            jti,
        },
    )
}

impl Draw {
    /// The step that it is in the model's present state. A new token becomes one of the model's.
    pub fn resolve(&self, model: &mut Model) -> Step {
        if let (Some(step), true) = (&self.if_failed, model.has_failed()) {
            return step.clone();
        }
        let mut step = self.step.clone();
        match &mut step {
            Step::Present { token, .. }
            | Step::Swallowed { token, .. }
            | Step::Undone { token, .. }
            | Step::Inside { token, .. }
            | Step::Committed { token, .. } => {
                *token = self.token.as_ref().expect("it was drawn with the step").resolve(model);
            }
            Step::Reload(_) if !model.can_reload() => step = Step::Read,
            _ => {}
        }
        step
    }
}

impl DrawnToken {
    fn resolve(&self, model: &mut Model) -> usize {
        match &self.again {
            Some(again) if model.tokens.len() > 1 => 1 + again.index(model.tokens.len() - 1),
            _ => {
                let sub = format!("user{}", model.tokens.len());
                let token = self.new.resolve(model, sub);
                model.tokens.push(token);
                model.tokens.len() - 1
            }
        }
    }
}

impl NewToken {
    pub fn resolve(&self, model: &Model, sub: String) -> Token {
        let trusted = model.trusted_keys();
        let any = [Key::A, Key::OtherA, Key::B, Key::Proxy, Key::Foreign];
        let key = match self.trusted && !trusted.is_empty() {
            true => *self.key.get(&trusted),
            false => *self.key.get(&any),
        };
        let last = model.last_jti.unwrap_or(0);
        let jti = match (key.issuer(), self.jti) {
            (Some(_), 7) => Some(last + 5),
            (Some(_), _) | (None, 7) => None,
            (None, 6) => Some(last),
            (None, 5) => Some(last - 3),
            (None, _) => Some(last + 1),
        };
        Token {
            key: self.is_token.then_some(key),
            time: self.time,
            jti,
            sub,
        }
    }
}
