//! The functions that read the identity, the role or a setting.

use pgrx::pg_sys::{self, Oid, RTEKind, SQLValueFunctionOp as Op};

use crate::pg::nodes::{Kind, NodeRef, View};

/// A function of the extension that returns a part of the identity.
#[derive(Clone, Copy)]
pub struct Reader {
    pub oid: Oid,
    /// The part of the identity.
    pub claim: &'static str,
    /// Whether it returns the JSON null, and not NULL, without an identity.
    pub gives_json_null: bool,
}

impl Reader {
    /// A function of the extension by its name.
    pub fn new(oid: Oid, name: &str) -> Reader {
        let claim = match name {
            "session" | "jwt" => "session",
            "role" => "role",
            "organization" => "organization",
            _ => "sub",
        };
        Reader {
            oid,
            claim,
            gives_json_null: claim == "session",
        }
    }
}

/// Whether an entry of a query's FROM is a table or a view.
pub(super) fn is_table(entry: NodeRef<'_>) -> bool {
    match entry.kind() {
        Kind::RangeTblEntry(entry) => entry.rtekind() == RTEKind::RTE_RELATION,
        _ => false,
    }
}

/// Whether an SQL value function returns a role or a name, and not the time.
pub(super) fn is_role(function: Op::Type) -> bool {
    function >= Op::SVFOP_CURRENT_ROLE
}

/// Whether a call depends on the role.
pub(super) fn reads_role(call: View<'_, pg_sys::FuncExpr>) -> bool {
    match call.funcid().to_u32() {
        pg_sys::F_CURRENT_USER
        | pg_sys::F_SESSION_USER
        | pg_sys::F_PG_HAS_ROLE_NAME_TEXT
        | pg_sys::F_PG_HAS_ROLE_OID_TEXT
        | pg_sys::F_PG_HAS_ROLE_NAME_NAME_TEXT
        | pg_sys::F_PG_HAS_ROLE_NAME_OID_TEXT
        | pg_sys::F_PG_HAS_ROLE_OID_NAME_TEXT
        | pg_sys::F_PG_HAS_ROLE_OID_OID_TEXT => true,
        pg_sys::F_CURRENT_SETTING_TEXT | pg_sys::F_CURRENT_SETTING_TEXT_BOOL => {
            match call.args().iter().next().map(NodeRef::kind) {
                Some(Kind::Const(name)) => name.text().is_some_and(|name| name.eq_ignore_ascii_case(b"role")),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether a call is `current_setting` of a name with a dot, or of a name that is not a constant.
pub fn is_setting(call: View<'_, pg_sys::FuncExpr>) -> bool {
    let function = call.funcid().to_u32();
    if function != pg_sys::F_CURRENT_SETTING_TEXT && function != pg_sys::F_CURRENT_SETTING_TEXT_BOOL {
        return false;
    }
    match call.args().iter().next().map(NodeRef::kind) {
        None => false,
        Some(Kind::Const(name)) if name.constisnull() => false,
        Some(Kind::Const(name)) => name.text().is_none_or(|name| name.contains(&b'.')),
        Some(_) => true,
    }
}
