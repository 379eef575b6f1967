//! The type of a node, which its tag tells, and the members of each type that this library reads.

use std::ffi::c_char;
use std::marker::PhantomData;

use pgrx::pg_sys::{self, Datum, Node, NodeTag, Oid};

use crate::pg::nodes::reference::{List, NodeRef, Slot, Tree};

/// A node whose type is known to be `T`.
pub struct View<'t, T> {
    pointer: *mut T,
    tree: Tree<'t>,
}

impl<T> Clone for View<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for View<'_, T> {}

impl<'t, T> View<'t, T> {
    /// The node at a pointer; None for null.
    ///
    /// # Safety
    /// The pointer is null, or a node of type `T` of a tree that lives for `'t` and that only slots change meanwhile.
    pub unsafe fn from_pointer(pointer: *mut T) -> Option<Self> {
        (!pointer.is_null()).then_some(View {
            pointer,
            tree: PhantomData,
        })
    }

    pub fn node(self) -> NodeRef<'t> {
        // SAFETY: `pointer` is a node of a tree that lives for `'t`: `from_pointer` was promised it, or it was a `NodeRef`.
        unsafe { NodeRef::new(self.pointer.cast()) }
    }
}

/// Makes [`Kind`] from lines of tag, name of the kind and struct of the node, and from tags of which no member is read.
macro_rules! kinds {
    ($($tag:ident $kind:ident $type:ident,)* ; $($bare_tag:ident $bare:ident,)*) => {
        /// A node by its type.
        #[derive(Clone, Copy)]
        pub enum Kind<'t> {
            Null,
            List(List<'t>),
            $($kind(View<'t, pg_sys::$type>),)*
            $($bare,)*
            /// A type that this library does not evaluate.
            Other,
        }

        impl<'t> NodeRef<'t> {
            // Inlined, so that a test for one kind compares one tag: the planner hook calls it for each node.
            #[inline(always)]
            pub fn kind(self) -> Kind<'t> {
                match self.tag() {
                    None => Kind::Null,
                    Some(NodeTag::T_List) => Kind::List(List::new(self)),
                    $(Some(NodeTag::$tag) => Kind::$kind(View {
                        pointer: self.pointer().cast(),
                        tree: PhantomData,
                    }),)*
                    $(Some(NodeTag::$bare_tag) => Kind::$bare,)*
                    Some(_) => Kind::Other,
                }
            }
        }
    };
}

kinds! {
    T_ArrayCoerceExpr ArrayCoerceExpr ArrayCoerceExpr,
    T_ArrayExpr ArrayExpr ArrayExpr,
    T_BoolExpr BoolExpr BoolExpr,
    T_BooleanTest BooleanTest BooleanTest,
    T_CaseExpr CaseExpr CaseExpr,
    T_CaseWhen CaseWhen CaseWhen,
    T_CoalesceExpr CoalesceExpr CoalesceExpr,
    T_CoerceToDomain CoerceToDomain CoerceToDomain,
    T_CoerceViaIO CoerceViaIO CoerceViaIO,
    T_CollateExpr CollateExpr CollateExpr,
    T_CommonTableExpr CommonTableExpr CommonTableExpr,
    T_Const Const Const,
    T_DistinctExpr DistinctExpr OpExpr,
    T_FromExpr FromExpr FromExpr,
    T_FuncExpr FuncExpr FuncExpr,
    T_JoinExpr JoinExpr JoinExpr,
    T_MergeAction MergeAction MergeAction,
    T_MinMaxExpr MinMaxExpr MinMaxExpr,
    T_NullIfExpr NullIfExpr OpExpr,
    T_NullTest NullTest NullTest,
    T_OnConflictExpr OnConflictExpr OnConflictExpr,
    T_OpExpr OpExpr OpExpr,
    T_Param Param Param,
    T_Query Query Query,
    T_RangeTblEntry RangeTblEntry RangeTblEntry,
    T_RangeTblFunction RangeTblFunction RangeTblFunction,
    T_RangeTblRef RangeTblRef RangeTblRef,
    T_RelabelType RelabelType RelabelType,
    T_SQLValueFunction SqlValueFunction SQLValueFunction,
    T_ScalarArrayOpExpr ScalarArrayOpExpr ScalarArrayOpExpr,
    T_SetOperationStmt SetOperationStmt SetOperationStmt,
    T_SubLink SubLink SubLink,
    T_SubscriptingRef SubscriptingRef SubscriptingRef,
    T_TargetEntry TargetEntry TargetEntry,
    T_Var Var Var,
    T_WithCheckOption WithCheckOption WithCheckOption,
    ;
    T_RowExpr RowExpr,
}

/// Makes a method for each member of a struct: pointers to nodes, to lists, pointers that may be changed, and values.
macro_rules! members {
    ($($type:ident {
        $(nodes { $($node:ident)* })?
        $(lists { $($list:ident)* })?
        $(slots { $($slot:ident)* })?
        $(values { $($value:ident: $of:ty),* })?
    })*) => {
        $(
            #[allow(non_snake_case, reason = "the names are PostgreSQL's")]
            impl<'t> View<'t, pg_sys::$type> {
                $($(pub fn $node(self) -> NodeRef<'t> {
                    // SAFETY: the node is of this type and lives for `'t`.
                    let node = unsafe { (*self.pointer).$node };
                    // SAFETY: the member points to a node of the same tree, or is null.
                    unsafe { NodeRef::new(node.cast()) }
                })*)?
                $($(pub fn $list(self) -> List<'t> {
                    // SAFETY: the node is of this type and lives for `'t`.
                    let list = unsafe { (*self.pointer).$list };
                    // SAFETY: the member points to a list of the same tree, or is null.
                    List::new(unsafe { NodeRef::new(list.cast()) })
                })*)?
                $($(pub fn $slot(self) -> Slot<'t> {
                    // SAFETY: the node is of this type and lives for `'t`.
                    let slot = unsafe { &raw mut (*self.pointer).$slot };
                    // SAFETY: the member points to a node of the same tree, or is null.
                    unsafe { Slot::new(slot.cast::<*mut Node>()) }
                })*)?
                $($(pub fn $value(self) -> $of {
                    // SAFETY: the node is of this type and lives for `'t`.
                    unsafe { (*self.pointer).$value }
                })*)?
            }
        )*
    };
}

members! {
    ArrayCoerceExpr { nodes { arg } }
    ArrayExpr { lists { elements } values { multidims: bool } }
    BoolExpr { lists { args } values { boolop: pg_sys::BoolExprType::Type } }
    BooleanTest { nodes { arg } values { booltesttype: pg_sys::BoolTestType::Type } }
    CaseExpr { nodes { arg defresult } lists { args } }
    CaseWhen { nodes { expr result } }
    CoalesceExpr { lists { args } }
    CoerceToDomain { nodes { arg } }
    CoerceViaIO { nodes { arg } values { resulttype: Oid } }
    CollateExpr { nodes { arg } }
    CommonTableExpr {
        nodes { ctequery }
        values { ctename: *mut c_char, ctematerialized: pg_sys::CTEMaterialize::Type, cterefcount: i32, cterecursive: bool }
    }
    Const { values { consttype: Oid, constisnull: bool, constvalue: Datum } }
    FromExpr { nodes { quals } lists { fromlist } }
    FuncExpr { lists { args } values { funcid: Oid, inputcollid: Oid, funcformat: pg_sys::CoercionForm::Type } }
    JoinExpr { nodes { larg rarg quals } values { jointype: pg_sys::JoinType::Type } }
    MergeAction { slots { qual } }
    MinMaxExpr { lists { args } }
    NullTest { nodes { arg } values { nulltesttype: pg_sys::NullTestType::Type, argisrow: bool } }
    OnConflictExpr { slots { onConflictWhere } }
    OpExpr { lists { args } values { opno: Oid, inputcollid: Oid } }
    Param { values { paramkind: pg_sys::ParamKind::Type, paramid: i32 } }
    Query {
        nodes { utilityStmt onConflict havingQual limitOffset limitCount setOperations }
        lists {
            cteList rtable targetList returningList groupClause groupingSets windowClause distinctClause sortClause rowMarks
            withCheckOptions mergeActionList
        }
        slots { jointree }
        values {
            commandType: pg_sys::CmdType::Type, hasAggs: bool, hasWindowFuncs: bool, hasTargetSRFs: bool,
            hasSubLinks: bool, hasDistinctOn: bool, hasRecursive: bool, hasModifyingCTE: bool, hasForUpdate: bool
        }
    }
    RangeTblEntry {
        nodes { subquery }
        lists { functions }
        slots { securityQuals }
        values { rtekind: pg_sys::RTEKind::Type, relid: Oid, ctename: *mut c_char, ctelevelsup: u32 }
    }
    RangeTblFunction { nodes { funcexpr } }
    RangeTblRef { values { rtindex: i32 } }
    RelabelType { nodes { arg } }
    SQLValueFunction { values { op: pg_sys::SQLValueFunctionOp::Type } }
    ScalarArrayOpExpr { lists { args } values { opno: Oid, inputcollid: Oid, useOr: bool } }
    SetOperationStmt { nodes { larg rarg } values { op: pg_sys::SetOperation::Type, all: bool } }
    SubLink { nodes { testexpr subselect } values { subLinkType: pg_sys::SubLinkType::Type } }
    SubscriptingRef { nodes { refexpr } lists { refupperindexpr } }
    TargetEntry { nodes { expr } values { resjunk: bool } }
    Var { values { varno: i32, varattno: i16, varlevelsup: u32 } }
    WithCheckOption { slots { qual } }
}

#[cfg(any(feature = "pg17", feature = "pg18", feature = "pg19"))]
members! {
    Query { slots { mergeJoinCondition } }
}
