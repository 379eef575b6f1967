//! The rules that turn what a policy's expression can be into findings.

use crate::check::eval::by_row::Permitted;
use crate::check::eval::expression::Expression;
use crate::check::eval::facts::Facts;
use crate::check::eval::pairs::Pairs;
use crate::check::finding::Finding;
use crate::check::who::Who;

/// The findings of a permissive expression that restrictive ones narrow, for one role. A finding about one of these names
/// its policy.
pub fn apply<'p>(
    own: &Expression<'_>,
    narrowing: &[(&'p [u8], &Expression<'_>)],
    is_write: bool,
    who: &Who,
) -> Vec<(Finding, Option<&'p [u8]>)> {
    let mut found = Vec::new();
    let is_anonymous = who.is_anonymous();
    if own.facts.mentions() == 0 && own.pairs(who).is_always_true() {
        let restrictive = narrowing
            .iter()
            .filter(|(_, other)| other.facts.mentions() > 0 && !other.pairs(who).is_always_true());
        found.extend(restrictive.map(|(object, _)| (Finding::RestrictivePolicy, Some(*object))));
    }
    let together = |pairs: fn(&Expression<'_>, &Who) -> Pairs| {
        let others = narrowing.iter().map(|(_, other)| pairs(other, who));
        Pairs::and_of(std::iter::once(pairs(own, who)).chain(others)).unwrap_or(Pairs::NONE)
    };
    let pairs = together(|it, who| it.pairs(who));
    if pairs.is_always_true() {
        let open = if is_write {
            Finding::PolicyWriteOpen
        } else {
            Finding::PolicyReadOpen
        };
        found.push((open, None));
        return found;
    }
    let any =
        |is_so: fn(&Facts<'_>) -> bool| is_so(&own.facts) || narrowing.iter().any(|(_, other)| is_so(&other.facts));
    if !any(|facts| facts.mentions() > 0 || facts.writable() > 0) {
        if is_write && pairs.can_be_true() && !any(|facts| facts.is_opaque) {
            found.push((Finding::PolicyWriteWithoutIdentity, None));
        }
        return found;
    }
    if !is_anonymous
        && any(|facts| facts.writable() > 0)
        && together(|it, who| it.pairs_of_stranger(who)).can_favour_anonymous()
    {
        let claim = if is_write {
            Finding::PolicyWriteUserClaim
        } else {
            Finding::PolicyReadUserClaim
        };
        found.push((claim, None));
    }
    let optimistic = || together(|it, who| it.optimistic_pairs(who));
    let permits = |is_member| {
        own.permits_ordinary(who, is_member)
            && narrowing
                .iter()
                .all(|(_, other)| other.permits_ordinary(who, is_member))
    };
    let is_permitted_by_row = || {
        let others = narrowing.iter().map(|(_, other)| other.permitted_by_row(who));
        others.fold(own.permitted_by_row(who), Permitted::min) == Permitted::Some
    };
    found.extend(match is_write {
        true if is_anonymous && optimistic().can_permit_anonymous() => {
            Some((Finding::PolicyWriteWithoutIdentity, None))
        }
        _ if is_anonymous => None,
        _ if pairs.can_favour_anonymous() && optimistic().can_favour_anonymous() => {
            Some((Finding::PolicyOpenWithoutIdentity, None))
        }
        true if pairs.depends_only_on_being_authenticated() || permits(false) => {
            Some((Finding::PolicyWriteAnyUser, None))
        }
        true if permits(true) => Some((Finding::PolicyWriteAnyMember, None)),
        true if is_permitted_by_row() => Some((Finding::PolicyWriteWithoutIdentity, None)),
        false if !permits(false) && permits(true) => Some((Finding::PolicyReadAnyMember, None)),
        _ if pairs.can_favour_anonymous() => Some((Finding::PolicyUndecided, None)),
        _ => None,
    });
    found
}
