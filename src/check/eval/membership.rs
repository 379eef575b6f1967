//! Sub-selects that read the identity and no column of the row: they have the same result for each row.

use pgrx::pg_sys::{self, Oid, SubLinkType};

use crate::check::eval::Evaluator;
use crate::check::eval::domain::Value::{False, True};
use crate::check::eval::domain::Values;
use crate::check::eval::known::Known;
use crate::check::eval::pairs::Pairs;
use crate::check::eval::tautology::with_itself;
use crate::check::eval::types::is_boolean;
use crate::pg::catalog;
use crate::pg::nodes::{self, Kind, NodeRef, View};

impl<'t> Evaluator<'_, 't> {
    /// The result for an ordinary user; None for other sub-selects and other sessions.
    pub(super) fn membership(&self, link: View<'t, pg_sys::SubLink>) -> Option<Pairs> {
        let has_rows = self.has_rows_of_user(link)?;
        let is_true = match (link.subLinkType(), has_rows) {
            (SubLinkType::EXISTS_SUBLINK | SubLinkType::ANY_SUBLINK, false) => false,
            (SubLinkType::ALL_SUBLINK, false) => true,
            (SubLinkType::EXISTS_SUBLINK | SubLinkType::ANY_SUBLINK | SubLinkType::ALL_SUBLINK, true) => {
                self.ordinary?.choice(link.node())
            }
            _ => return None,
        };
        let value = if is_true { True } else { False };
        Some(Pairs::same(Values::from(value)))
    }

    /// The value of a sub-select as an expression.
    pub(super) fn known_of_rows(&self, link: View<'t, pg_sys::SubLink>) -> Option<Known> {
        let Kind::Query(query) = link.subselect().kind() else {
            return None;
        };
        match self.has_rows_of_user(link)? {
            true => Some(Known::Vague),
            false if link.subLinkType() == SubLinkType::EXPR_SUBLINK && !query.hasAggs() => Some(Known::Null),
            false => None,
        }
    }

    /// `scalar = ANY (ARRAY (sub-select))`, of which the scalar or the sub-select reads the identity.
    pub(super) fn membership_of_array(
        &self,
        operator: NodeRef<'t>,
        scalar: NodeRef<'t>,
        link: View<'t, pg_sys::SubLink>,
    ) -> Option<bool> {
        let ordinary = self.ordinary?;
        if !self.facts.is_rowless(link.node()) || self.mentions(operator) == 0 {
            return None;
        }
        if !(ordinary.is_member && self.is_about_rows(link)) {
            return Some(false);
        }
        self.known(scalar).map(|_| ordinary.choice(operator))
    }

    /// A comparison of the identity with what a sub-select finds: `(SELECT array_agg(user_id) FROM …) @> ARRAY[auth.user_id()]`.
    pub(super) fn membership_of_condition(&self, condition: NodeRef<'t>) -> Option<Pairs> {
        let ordinary = self.ordinary?;
        let Kind::SubLink(link) = self.facts.rowless_part(condition)?.kind() else {
            return None;
        };
        let is_negated = match condition.kind() {
            Kind::OpExpr(operator) => {
                let name = catalog::builtin_operator(operator.opno())?;
                name == b"<>" || name.starts_with(b"!")
            }
            Kind::ScalarArrayOpExpr(operator) => !operator.useOr(),
            _ => return None,
        };
        if self.mentions(link.node()) > 0 || self.is_stranger() {
            return None;
        }
        let is_true = match ordinary.is_member && self.is_about_rows(link) {
            true => ordinary.choice(condition),
            false => is_negated,
        };
        Some(Pairs::same(Values::boolean(is_true)))
    }

    /// Whether an ordinary user can have rows that the sub-select finds.
    fn has_rows_of_user(&self, link: View<'t, pg_sys::SubLink>) -> Option<bool> {
        let ordinary = self.ordinary?;
        let is_affected = self.is_stranger() && self.facts.writes_in(link.node()) > 0;
        let depends_on_no_row = || self.facts.tables_apart(link.node()).is_some() || self.can_forget_row(link);
        let is_independent = self.facts.is_rowless(link.node()) || !self.is_stranger() && depends_on_no_row();
        if !is_independent || self.mentions(link.node()) == 0 || is_affected {
            return None;
        }
        Some(ordinary.is_member && self.is_about_rows(link))
    }

    /// Whether the sub-select should have a condition on the row. It then compares a column with itself, or reads the table of
    /// the policy. Or its table has a column that tells which rows a user belongs to, or end users can insert into it.
    fn is_about_rows(&self, link: View<'t, pg_sys::SubLink>) -> bool {
        let mut found = Found::default();
        // What the sub-select returns is compared with the identity or with a constant, and otherwise with the row.
        let tables = self.facts.tables_apart(link.node());
        if let (true, Kind::Query(query)) = (
            link.subLinkType() != SubLinkType::EXISTS_SUBLINK && tables.is_none(),
            link.subselect().kind(),
        ) {
            for entry in query.targetList().iter() {
                found.descend(self, entry, true);
            }
        }
        found.has_conditions = link.subLinkType() == SubLinkType::EXPR_SUBLINK;
        found.descend(self, link.node(), false);
        if let Some(tables) = tables {
            found.tables.retain(|table| tables.contains(table));
        }
        let is_own = |table: &Oid| *table == self.table.oid;
        found.compares_itself
            || found.tables.iter().any(is_own)
            || found.tables.iter().any(|inner| {
                self.table.links.get(&(self.table.oid, *inner)).is_some_and(|link| {
                    link.columns.iter().any(|column| !found.settled.contains(column))
                        || link.may_insert && !found.has_conditions
                })
            })
    }
}

/// What a sub-select reads.
#[derive(Default)]
struct Found {
    compares_itself: bool,
    tables: Vec<Oid>,
    /// The columns that are compared with the identity or with a constant.
    settled: Vec<i16>,
    /// Whether a comparison does not read the identity.
    has_conditions: bool,
}

impl Found {
    fn descend<'t>(&mut self, evaluator: &Evaluator<'_, 't>, node: NodeRef<'t>, is_compared: bool) -> bool {
        let mut is_compared = is_compared;
        match node.kind() {
            Kind::Query(query) => {
                for entry in query.rtable().iter() {
                    if let Kind::RangeTblEntry(table) = entry.kind() {
                        self.tables.push(table.relid());
                    }
                }
            }
            Kind::OpExpr(operator) => {
                self.compares_itself |= with_itself(operator.opno(), &operator.args().to_vec()).is_some();
                let reads_identity = evaluator.facts.mentions_in(node, false) > 0;
                self.has_conditions |= !reads_identity;
                is_compared = reads_identity || operator.args().iter().any(|it| evaluator.known(it).is_some());
            }
            Kind::Var(_) if evaluator.facts.alias(node).is_some() => {}
            Kind::Var(column) if is_compared => self.settled.push(column.varattno()),
            Kind::Var(_) => self.has_conditions |= is_boolean(node),
            _ => {}
        }
        nodes::walk_children(node, &mut |child| self.descend(evaluator, child, is_compared))
    }
}
