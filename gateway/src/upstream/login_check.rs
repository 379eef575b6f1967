//! What the gateway's login may be: nothing but the way to its roles.
//!
//! Each end user can become the login by RESET ROLE. So whatever the login can do, every end user can do.

use sql_over_http::failure::Failure;

use super::connection::Connection;

/// The first parameter has the roles, one on each line. Each row is a finding.
///
/// Any end user can have the login own large objects, default privileges and temporary objects, and so must not be able to
/// prevent the gateway's next start by them. They give no right to anything that lasts.
const FINDINGS: &str = "
WITH wanted AS (SELECT name FROM pg_catalog.unnest(pg_catalog.string_to_array($1, E'\\n')) name),
login AS (SELECT * FROM pg_catalog.pg_roles WHERE rolname = SESSION_USER),
membership AS (
    SELECT role.rolname, m.admin_option, pg_catalog.to_jsonb(m) ->> 'inherit_option' AS inherits,
        pg_catalog.to_jsonb(m) ->> 'set_option' AS sets
    FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles role ON role.oid = m.roleid
    WHERE m.member = (SELECT oid FROM login)
)
SELECT 'login is a superuser' FROM login WHERE rolsuper
UNION ALL SELECT 'login has BYPASSRLS' FROM login WHERE rolbypassrls
UNION ALL SELECT 'login has CREATEROLE' FROM login WHERE rolcreaterole
UNION ALL SELECT 'login has CREATEDB' FROM login WHERE rolcreatedb
UNION ALL SELECT 'login has REPLICATION' FROM login WHERE rolreplication
UNION ALL SELECT 'login has INHERIT' FROM login WHERE rolinherit
UNION ALL SELECT pg_catalog.format('login is a member of %I', rolname) FROM membership
    WHERE rolname NOT IN (SELECT name FROM wanted)
UNION ALL SELECT pg_catalog.format('login has the ADMIN OPTION for %I', rolname) FROM membership WHERE admin_option
UNION ALL SELECT pg_catalog.format('login inherits the privileges of %I', rolname) FROM membership WHERE inherits = 'true'
UNION ALL SELECT pg_catalog.format('login cannot SET ROLE %I', rolname) FROM membership WHERE sets = 'false'
UNION ALL SELECT pg_catalog.format('login is not a member of %I', name) FROM wanted
    WHERE name NOT IN (SELECT rolname FROM membership)
UNION ALL SELECT pg_catalog.format('login owns %s objects', pg_catalog.count(*)) FROM pg_catalog.pg_shdepend owned
    WHERE owned.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND owned.refobjid = (SELECT oid FROM login)
    AND owned.deptype = 'o' AND owned.dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
    AND owned.classid NOT IN (
        'pg_catalog.pg_largeobject'::pg_catalog.regclass, 'pg_catalog.pg_default_acl'::pg_catalog.regclass
    )
    AND (
        SELECT pg_catalog.concat(object.schema) !~ '^pg_temp' AND object.identity IS NOT NULL
        FROM pg_catalog.pg_identify_object(owned.classid, owned.objid, owned.objsubid) object
    )
    HAVING pg_catalog.count(*) > 0
UNION ALL SELECT pg_catalog.format('role %I is a superuser', rolname) FROM pg_catalog.pg_roles
    WHERE rolsuper AND rolname IN (SELECT name FROM wanted)
UNION ALL SELECT pg_catalog.format('role %I has BYPASSRLS', rolname) FROM pg_catalog.pg_roles
    WHERE rolbypassrls AND rolname IN (SELECT name FROM wanted)
UNION ALL SELECT pg_catalog.format('role %I has CREATEROLE', rolname) FROM pg_catalog.pg_roles
    WHERE rolcreaterole AND rolname IN (SELECT name FROM wanted)
UNION ALL SELECT pg_catalog.format('role %I has REPLICATION', rolname) FROM pg_catalog.pg_roles
    WHERE rolreplication AND rolname IN (SELECT name FROM wanted)
UNION ALL SELECT pg_catalog.format('database %I does not have the extension pg_session_jwt', pg_catalog.current_database())
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_session_jwt')";

/// What is wrong with the login of this connection; empty if nothing is.
pub async fn findings(connection: &mut Connection, roles: &[String]) -> Result<Vec<String>, Failure> {
    let rows = connection.query(FINDINGS, &[&roles.join("\n")]).await?;
    Ok(rows.into_iter().flatten().flatten().collect())
}
