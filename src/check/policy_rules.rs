//! The rules that turn what a policy's expression can be into findings.

use crate::check::eval::expression::Expression;
use crate::check::eval::facts::Facts;
use crate::check::eval::pairs::Pairs;
use crate::check::finding::Finding;
use crate::pg::nodes::{Kind, NodeRef};

/// The findings of a permissive expression that restrictive ones narrow. A finding about one of these names its policy.
pub fn apply<'p>(
    own: &Expression<'_>,
    narrowing: &[(&'p [u8], &Expression<'_>)],
    is_write: bool,
    is_anonymous: bool,
) -> Vec<(Finding, Option<&'p [u8]>)> {
    let mut found = Vec::new();
    let is_true = constant(own.tree) == Some(true);
    if own.facts.mentions() == 0 && is_true {
        let restrictive = narrowing.iter().filter(|(_, other)| other.facts.mentions() > 0);
        found.extend(restrictive.map(|(object, _)| (Finding::RestrictivePolicy, Some(*object))));
    }
    let any =
        |is_so: fn(&Facts<'_>) -> bool| is_so(&own.facts) || narrowing.iter().any(|(_, other)| is_so(&other.facts));
    if !any(|facts| facts.mentions() > 0) {
        let is_opaque = any(|facts| facts.is_opaque);
        let is_false = constant(own.tree) == Some(false);
        match (is_true && narrowing.is_empty(), is_write) {
            (true, true) => found.push((Finding::PolicyWriteOpen, None)),
            (true, false) => found.push((Finding::PolicyReadOpen, None)),
            (false, true) if !is_opaque && !is_false => found.push((Finding::PolicyWriteWithoutIdentity, None)),
            _ => {}
        }
        return found;
    }
    let together = |pairs: fn(&Expression<'_>) -> Pairs| {
        let others = narrowing.iter().map(|(_, other)| pairs(other));
        Pairs::and_of(std::iter::once(pairs(own)).chain(others)).unwrap_or(Pairs::NONE)
    };
    let pairs = together(|it| it.pairs());
    let optimistic = || together(|it| it.optimistic_pairs());
    found.extend(match is_write {
        true if pairs.is_always_true() => Some((Finding::PolicyWriteOpen, None)),
        false if pairs.is_always_true() => Some((Finding::PolicyReadOpen, None)),
        true if is_anonymous && optimistic().can_permit_anonymous() => {
            Some((Finding::PolicyWriteWithoutIdentity, None))
        }
        _ if is_anonymous => None,
        _ if pairs.can_favour_anonymous() && optimistic().can_favour_anonymous() => {
            Some((Finding::PolicyOpenWithoutIdentity, None))
        }
        _ if pairs.can_favour_anonymous() => Some((Finding::PolicyUndecided, None)),
        true if pairs.depends_only_on_being_authenticated() => Some((Finding::PolicyWriteAnyUser, None)),
        _ => None,
    });
    found
}

/// Whether a constant lets a row pass; None for an expression that is not a constant. NULL does not.
fn constant(tree: NodeRef<'_>) -> Option<bool> {
    match tree.kind() {
        Kind::Const(constant) => Some(constant.boolean().unwrap_or(false)),
        _ => None,
    }
}
