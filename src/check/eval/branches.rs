//! Sub-selects that find rows of a user without a look at the row of the policy, by one of their alternatives:
//! `m.team = docs.team AND m.user_id = auth.user_id() OR m.is_admin`, where AND binds first.

use pgrx::pg_sys::{self, BoolExprType, JoinType, NullTestType, RTEKind, SubLinkType};
use pgrx::prelude::*;

use crate::check::eval::Evaluator;
use crate::check::eval::known::Known;
use crate::check::eval::tautology::with_itself;
use crate::pg::nodes::{self, Kind, NodeRef, View};

impl<'t> Evaluator<'_, 't> {
    /// Whether a sub-select over a table can find rows without a look at the row.
    pub(super) fn can_forget_row(&self, link: View<'t, pg_sys::SubLink>) -> bool {
        let finds_any = match link.subLinkType() {
            SubLinkType::EXISTS_SUBLINK => true,
            SubLinkType::ANY_SUBLINK => !self.reads_row(link.testexpr()),
            _ => false,
        };
        let Kind::Query(query) = link.subselect().kind() else {
            return false;
        };
        finds_any
            && self.facts.reads_table(link.node())
            && query.havingQual().is_null()
            && query.setOperations().is_null()
            && !self.reads_row(query.cteList().node())
            && query.rtable().iter().all(|entry| !self.is_lateral(entry))
            && self.join_can_forget_row(query.jointree().node())
    }

    /// Whether an entry of FROM is a query that reads the row, or may be one.
    fn is_lateral(&self, entry: NodeRef<'t>) -> bool {
        let Kind::RangeTblEntry(entry) = entry.kind() else {
            return true;
        };
        match entry.rtekind() {
            RTEKind::RTE_SUBQUERY => self.reads_row(entry.subquery()),
            RTEKind::RTE_FUNCTION => entry.functions().iter().any(|it| match it.kind() {
                Kind::RangeTblFunction(it) => self.reads_row(it.funcexpr()),
                _ => true,
            }),
            RTEKind::RTE_TABLEFUNC => true,
            _ => false,
        }
    }

    /// The same for FROM and WHERE.
    fn join_can_forget_row(&self, node: NodeRef<'t>) -> bool {
        check_for_interrupts!();
        match node.kind() {
            _ if nodes::is_too_deep() => false,
            Kind::RangeTblRef(_) => true,
            Kind::FromExpr(from) => {
                self.can_be(from.quals(), true) && from.fromlist().iter().all(|part| self.join_can_forget_row(part))
            }
            Kind::JoinExpr(join) => match join.jointype() {
                JoinType::JOIN_INNER => {
                    self.can_be(join.quals(), true)
                        && self.join_can_forget_row(join.larg())
                        && self.join_can_forget_row(join.rarg())
                }
                // An outer join retains the rows of one side, whatever its condition is.
                JoinType::JOIN_LEFT => self.join_can_forget_row(join.larg()),
                JoinType::JOIN_RIGHT => self.join_can_forget_row(join.rarg()),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a condition can be true, or false, without a look at the row.
    fn can_be(&self, condition: NodeRef<'t>, value: bool) -> bool {
        check_for_interrupts!();
        match condition.kind() {
            Kind::Null => value,
            _ if nodes::is_too_deep() => false,
            Kind::BoolExpr(it) => match it.boolop() {
                BoolExprType::NOT_EXPR => it.args().iter().all(|part| self.can_be(part, !value)),
                // One false part makes AND false, and one true part makes OR true.
                BoolExprType::AND_EXPR if value => it.args().iter().all(|part| self.can_be(part, true)),
                BoolExprType::OR_EXPR if !value => it.args().iter().all(|part| self.can_be(part, false)),
                _ => it.args().iter().any(|part| self.can_be(part, value)),
            },
            Kind::CaseExpr(case) if case.arg().is_null() => {
                let whens = || {
                    case.args().iter().filter_map(|arm| match arm.kind() {
                        Kind::CaseWhen(when) => Some(when),
                        _ => None,
                    })
                };
                whens().any(|when| self.can_be(when.expr(), true) && self.can_be(when.result(), value))
                    || self.can_be(case.defresult(), value) && whens().all(|when| self.can_be(when.expr(), false))
            }
            _ => {
                let is_impossible = match self.known(condition) {
                    Some(Known::Null) => true,
                    Some(Known::Boolean(known)) => known != value,
                    _ => false,
                };
                !is_impossible && (!self.reads_row(condition) || value && is_of_each_row(condition))
            }
        }
    }

    /// Whether an expression reads a column of the row.
    fn reads_row(&self, node: NodeRef<'t>) -> bool {
        check_for_interrupts!();
        match node.kind() {
            Kind::Null => false,
            _ if nodes::is_too_deep() => true,
            Kind::Var(column) => match self.facts.alias(node) {
                Some(target) => self.reads_row(target),
                None => self.facts.is_of_row(column.node()),
            },
            _ => nodes::walk_children(node, &mut |child| self.reads_row(child)),
        }
    }
}

/// Whether a condition on a column holds for each row in which it is not NULL.
fn is_of_each_row(condition: NodeRef<'_>) -> bool {
    match condition.kind() {
        Kind::NullTest(test) => {
            test.nulltesttype() == NullTestType::IS_NOT_NULL && matches!(test.arg().kind(), Kind::Var(_))
        }
        Kind::OpExpr(operator) => with_itself(operator.opno(), &operator.args().to_vec()) == Some(true),
        _ => false,
    }
}
