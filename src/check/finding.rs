//! The names and severities of the findings of `auth.check()`. It is plain Rust, so that a test can compare them with
//! docs/check.md.

/// The severities, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// End users have access that they must not have.
    Critical,
    /// A vulnerability under a condition that the catalogs do not show, or something that does not work.
    Warning,
    /// Right for some deployments; to be reviewed for this one.
    Notice,
    /// A finding that a comment on its object allows, with a reason.
    Allowed,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
            Severity::Allowed => "allowed",
        }
    }
}

macro_rules! findings {
    ($($finding:ident, $severity:ident, $name:literal;)*) => {
        /// The problems that can be found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Finding {
            $($finding,)*
        }

        impl Finding {
            #[allow(dead_code, reason = "for the test of docs/check.md")]
            pub const ALL: &'static [Finding] = &[$(Finding::$finding,)*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Finding::$finding => $name,)*
                }
            }

            pub fn severity(self) -> Severity {
                match self {
                    $(Finding::$finding => Severity::$severity,)*
                }
            }
        }
    };
}

findings! {
    TableWithoutRls, Critical, "table_without_rls";
    PrivilegeBypassesRls, Critical, "privilege_bypasses_rls";
    ViewBypassesRls, Critical, "view_bypasses_rls";
    MaterializedViewBypassesRls, Critical, "materialized_view_bypasses_rls";
    ViewWithoutBarrier, Critical, "view_without_barrier";
    OwnedObject, Critical, "owned_object";
    PolicyOpenWithoutIdentity, Critical, "policy_open_without_identity";
    PolicyWriteOpen, Critical, "policy_write_open";
    PolicyWriteAnyUser, Critical, "policy_write_any_user";
    PolicyWriteAnyMember, Critical, "policy_write_any_member";
    PolicyWriteUserClaim, Critical, "policy_write_user_claim";
    ImmutableIdentity, Critical, "immutable_identity";
    RoleAttribute, Critical, "role_attribute";
    RoleMembership, Critical, "role_membership";
    IdentityForgeable, Critical, "identity_forgeable";
    AuthOwner, Critical, "auth_owner";
    AuthSchemaCreate, Critical, "auth_schema_create";
    AuthLookAlike, Critical, "auth_look_alike";
    AuthFunctionReplaced, Critical, "auth_function_replaced";
    ForeignTable, Warning, "foreign_table";
    ViewWithoutCheckOption, Warning, "view_without_check_option";
    OwnerNotForced, Warning, "owner_not_forced";
    DefinerFunction, Warning, "definer_function";
    DblinkExecutable, Warning, "dblink_executable";
    AuthFunctionGranted, Warning, "auth_function_granted";
    PolicyWriteWithoutIdentity, Warning, "policy_write_without_identity";
    PolicyRecursion, Warning, "policy_recursion";
    PolicyReadUserClaim, Warning, "policy_read_user_claim";
    PolicyReadAnyMember, Warning, "policy_read_any_member";
    PolicyWithoutCondition, Warning, "policy_without_condition";
    RlsWithoutPolicy, Warning, "rls_without_policy";
    PolicyReadsSetting, Warning, "policy_reads_setting";
    ImmutableFunction, Warning, "immutable_function";
    LeakproofFunction, Warning, "leakproof_function";
    RoleLogin, Warning, "role_login";
    LoginRolePrivileged, Warning, "login_role_privileged";
    IdentitySetting, Warning, "identity_setting";
    SchemaCreate, Warning, "schema_create";
    DatabaseCreate, Warning, "database_create";
    ClaimsMode, Warning, "claims_mode";
    LibraryNotPreloaded, Warning, "library_not_preloaded";
    ClientKeys, Warning, "client_keys";
    SettingUnusable, Warning, "setting_unusable";
    ProviderWithoutKeys, Warning, "provider_without_keys";
    ProviderWithoutRoles, Warning, "provider_without_roles";
    ProviderRoleMissing, Warning, "provider_role_missing";
    LoginWithoutAudience, Warning, "login_without_audience";
    IssuerShared, Warning, "issuer_shared";
    DefaultPrivileges, Warning, "default_privileges";
    LoggedParameters, Warning, "logged_parameters";
    PgStatStatementsReadable, Warning, "pg_stat_statements_readable";
    PostgresOutdated, Warning, "postgres_outdated";
    NotChecked, Warning, "not_checked";
    PolicyReadOpen, Notice, "policy_read_open";
    PolicyUndecided, Notice, "policy_undecided";
    RestrictivePolicy, Notice, "restrictive_policy";
    PolicyColumnWithoutIndex, Notice, "policy_column_without_index";
    RoleSetting, Notice, "role_setting";
    RoleMissing, Notice, "role_missing";
    LoginShared, Notice, "login_shared";
    LoginInherits, Notice, "login_inherits";
    IdentityScope, Notice, "identity_scope";
    LargeObjects, Notice, "large_objects";
    ProviderWithoutAudience, Notice, "provider_without_audience";
    ProviderAlgorithmUnused, Notice, "provider_algorithm_unused";
    LoggedStatements, Notice, "logged_statements";
    PgStatStatementsTracksUtility, Notice, "pg_stat_statements_tracks_utility";
    LiteralsStored, Notice, "literals_stored";
    ExceptionUnused, Notice, "exception_unused";
}
