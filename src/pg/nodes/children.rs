//! The children of an expression, as the planner hook needs them.
//!
//! PostgreSQL's `expression_tree_walker` would call back for every node of every query through guards against errors on
//! both sides. This one raises no error and needs no guard.

use pgrx::pg_sys::{self, Node, NodeTag};

use crate::pg::nodes::kinds::Kind;
use crate::pg::nodes::reference::{NodeRef, Slot};

/// Passes the members of a node that are its children to `see`, for the types in the table.
macro_rules! children {
    ($node:expr, $see:expr, $($tag:ident: $type:ident { $($member:ident),* })*) => {
        match $node.tag() {
            $(Some(NodeTag::$tag) => {
                let it = $node.pointer().cast::<pg_sys::$type>();
                $(
                    // SAFETY: the tag tells the type of the node.
                    let member = unsafe { &raw mut (*it).$member };
                    // SAFETY: the member points to a node of the same tree, or is null; a list is a node.
                    $see(unsafe { Slot::new(member.cast::<*mut Node>()) });
                )*
            })*
            _ => {}
        }
    };
}

/// Passes the slots of a node's children to `see`. Sub-selects are not children, and types outside of the table have none.
pub fn each_child<'t>(parent: NodeRef<'t>, mut see: impl FnMut(Slot<'t>)) {
    if let Kind::List(list) = parent.kind() {
        list.slots().for_each(see);
        return;
    }
    children!(parent, see,
        T_FromExpr: FromExpr { fromlist, quals }
        T_JoinExpr: JoinExpr { larg, rarg, quals }
        T_TargetEntry: TargetEntry { expr }
        T_BoolExpr: BoolExpr { args }
        T_OpExpr: OpExpr { args }
        T_DistinctExpr: OpExpr { args }
        T_NullIfExpr: OpExpr { args }
        T_ScalarArrayOpExpr: ScalarArrayOpExpr { args }
        T_FuncExpr: FuncExpr { args }
        T_Aggref: Aggref { args }
        T_RelabelType: RelabelType { arg }
        T_CoerceViaIO: CoerceViaIO { arg }
        T_ArrayCoerceExpr: ArrayCoerceExpr { arg }
        T_CollateExpr: CollateExpr { arg }
        T_CaseExpr: CaseExpr { arg, args, defresult }
        T_CaseWhen: CaseWhen { expr, result }
        T_CoalesceExpr: CoalesceExpr { args }
        T_MinMaxExpr: MinMaxExpr { args }
        T_ArrayExpr: ArrayExpr { elements }
        T_RowExpr: RowExpr { args }
        T_NullTest: NullTest { arg }
        T_BooleanTest: BooleanTest { arg }
        T_SubLink: SubLink { testexpr }
    );
}
