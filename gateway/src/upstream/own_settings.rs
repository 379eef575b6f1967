//! Settings that an end user has planted for the gateway's login.
//!
//! An end user can RESET ROLE, is the gateway's login then, and can `ALTER ROLE … SET` what each later session of that login
//! begins with: a search_path, a timeout of a millisecond. No privilege prevents that. So the gateway inspects each new
//! connection, and removes what it finds. It cannot remove, and need not, what only a superuser can set.

use sql_over_http::failure::Failure;

use super::connection::Connection;
use super::target::Login;

/// Of the session, and of the catalog, since pg_settings does not show names that no library defines.
const PLANTED: &str = "
    SELECT name FROM pg_catalog.pg_settings
    WHERE source OPERATOR(pg_catalog.=) ANY (ARRAY['user', 'database user']) AND context OPERATOR(pg_catalog.=) 'user'
    UNION
    SELECT item.name FROM pg_catalog.pg_db_role_setting stored
    CROSS JOIN pg_catalog.unnest(stored.setconfig) config
    CROSS JOIN pg_catalog.split_part(config, '=', 1) item (name)
    WHERE stored.setrole OPERATOR(pg_catalog.=) (SELECT oid FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) SESSION_USER)
    AND stored.setdatabase OPERATOR(pg_catalog.=) ANY (
        ARRAY[0, (SELECT oid FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())]
    )
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_settings known
        WHERE known.name OPERATOR(pg_catalog.=) item.name AND known.context OPERATOR(pg_catalog.<>) 'user'
    )";

/// The names of the planted settings. A connection that has some must not be used.
pub async fn planted(connection: &mut Connection) -> Result<Vec<String>, Failure> {
    let rows = connection.query(PLANTED, &[]).await?;
    let names: Vec<String> = rows.into_iter().flatten().flatten().collect();
    if !names.is_empty() {
        tracing::warn!(
            settings = names.join(", "),
            "removing settings of the gateway's login, which anyone who can send SQL can make; use --set or ALTER DATABASE"
        );
    }
    Ok(names)
}

/// Whether a planted setting can be the reason that PostgreSQL rejects the connection. It is one for a library that does not
/// exist or does not fit (SQLSTATE classes 42, 58 and XX).
pub fn can_cause(failure: &Failure) -> bool {
    ["42", "58", "XX"].iter().any(|class| failure.code().starts_with(class))
}

/// The login with its own settings for everything that a planted one could prevent. Those of the start-up message count.
pub fn undisturbed(login: &Login, server_version: Option<&str>) -> Login {
    let major = server_version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    let mut settings = vec![
        ("role", "none"),
        ("local_preload_libraries", ""),
        ("search_path", "pg_catalog"),
        ("default_transaction_read_only", "off"),
        ("statement_timeout", "0"),
        ("lock_timeout", "0"),
        ("idle_session_timeout", "0"),
    ];
    if major.is_some_and(|major| major >= 17) {
        settings.push(("transaction_timeout", "0"));
    }
    let settings = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Login {
        settings,
        ..login.clone()
    }
}

/// Removes all settings that the login may change itself.
pub async fn remove(connection: &mut Connection) -> Result<(), Failure> {
    let database = connection
        .query("SELECT pg_catalog.quote_ident(pg_catalog.current_database())", &[])
        .await?;
    let database = database.into_iter().flatten().flatten().next().unwrap_or_default();
    connection.query("ALTER ROLE SESSION_USER RESET ALL", &[]).await?;
    connection
        .query(
            &format!("ALTER ROLE SESSION_USER IN DATABASE {database} RESET ALL"),
            &[],
        )
        .await?;
    Ok(())
}
