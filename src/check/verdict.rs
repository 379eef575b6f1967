//! What is wrong with a policy's expression, and in which words.

use pgrx::pg_sys::{self, Node, NodeTag};

use crate::check::expression::Expression;
use crate::check::facts::Facts;
use crate::check::finding::Finding;
use crate::check::truth::Pairs;
use crate::pg::nodes::{is, typed};

/// What is wrong with an expression; with the policy that it is about, if that is another one.
pub fn verdict<'a>(
    own: &Expression<'_>,
    narrowing: &[(&'a [u8], &Expression<'_>)],
    is_write: bool,
    is_anonymous: bool,
) -> Vec<(Finding, Option<&'a [u8]>)> {
    let tree = own.tree;
    let mut found = Vec::new();
    if own.facts.mentions() == 0 && is_true(tree) {
        let held_by = narrowing.iter().filter(|(_, other)| other.facts.mentions() > 0);
        found.extend(held_by.map(|(object, _)| (Finding::RestrictivePolicy, Some(*object))));
    }
    let any_of =
        |is_so: fn(&Facts) -> bool| is_so(&own.facts) || narrowing.iter().any(|(_, other)| is_so(&other.facts));
    if !any_of(|facts| facts.mentions() > 0) {
        let is_opaque = any_of(|facts| facts.is_opaque);
        match (is_true(tree) && narrowing.is_empty(), is_write) {
            (true, true) => found.push((Finding::PolicyWriteOpen, None)),
            (true, false) => found.push((Finding::PolicyReadOpen, None)),
            (false, true) if !is_opaque && !is_false(tree) => found.push((Finding::PolicyWriteWithoutIdentity, None)),
            _ => {}
        }
        return found;
    }
    let together = |pairs: fn(&Expression<'_>) -> Pairs| {
        let others = narrowing.iter().map(|(_, other)| pairs(other));
        Pairs::and_of(std::iter::once(pairs(own)).chain(others)).unwrap_or(Pairs::NONE)
    };
    let pairs = together(|it| it.pairs());
    let trusting = || together(|it| it.trusting_pairs());
    found.extend(match is_write {
        true if pairs.is_always_true() => Some((Finding::PolicyWriteOpen, None)),
        false if pairs.is_always_true() => Some((Finding::PolicyReadOpen, None)),
        true if is_anonymous && trusting().lets_nobody_in() => Some((Finding::PolicyWriteWithoutIdentity, None)),
        _ if is_anonymous => None,
        _ if pairs.opens_for_nobody() && trusting().opens_for_nobody() => {
            Some((Finding::PolicyOpenWithoutIdentity, None))
        }
        _ if pairs.opens_for_nobody() => Some((Finding::PolicyUndecided, None)),
        true if pairs.asks_only_whether_known() => Some((Finding::PolicyWriteAnyUser, None)),
        _ => None,
    });
    found
}

fn is_true(tree: *mut Node) -> bool {
    constant(tree) == Some(true)
}

fn is_false(tree: *mut Node) -> bool {
    constant(tree) == Some(false)
}

fn constant(tree: *mut Node) -> Option<bool> {
    if !is(tree, NodeTag::T_Const) {
        return None;
    }
    // SAFETY: its tag says so.
    let it = unsafe { typed::<pg_sys::Const>(tree) };
    Some(!it.constisnull && it.constvalue.value() != 0)
}

/// Problem and remedy; the places follow the problem.
pub fn words(finding: Finding) -> (&'static str, &'static str) {
    match finding {
        Finding::PolicyOpenWithoutIdentity => (
            "It can be true for a session without an identity where it is not for everybody",
            "Compare so that NULL closes it: auth.user_id() = column; or add AND auth.user_id() IS NOT NULL.",
        ),
        Finding::PolicyWriteOpen => (
            "It is true: everybody may write every row",
            "Compare a column with auth.user_id(), or take the privilege back.",
        ),
        Finding::PolicyReadOpen => (
            "It is true: everybody may read every row",
            "Nothing, if the table is meant to be public. Else compare a column with auth.user_id().",
        ),
        Finding::PolicyWriteWithoutIdentity => (
            "It asks what is in the row and not who is speaking: all users may write these rows",
            "Compare a column with auth.user_id(), too.",
        ),
        Finding::PolicyWriteAnyUser => (
            "It asks only whether somebody is known: each user may write the rows of all",
            "Compare a column with auth.user_id().",
        ),
        Finding::RestrictivePolicy => (
            "Only this restrictive policy keeps another one from being true for everybody, and DROP EXTENSION pg_session_jwt \
             CASCADE would drop it",
            "Put the condition into the permissive policy, too.",
        ),
        _ => (
            "It is not known what it is without an identity: it asks a function or a sub-select that is not looked into",
            "Declare the function STRICT, or add AND auth.user_id() IS NOT NULL.",
        ),
    }
}
