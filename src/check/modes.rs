//! The settings that determine the identity: the mode, the keys, the providers; and the version of the server.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::check::missing_roles::Roles;
use crate::check::shared_issuers::is_shared;
use crate::check::{messages, remedy, version};
use crate::guc::{lookup, names, values};
use crate::identity::mode;
use crate::identity::mode::Mode;
use crate::keys::providers::Providers;
use crate::pg::catalog;
use crate::pg::sql_types::TextBytes;
use crate::token::Provider;
use crate::token::key_problem::Member;

/// Whether the key of this session came from its own startup packet, and the roles of end users that may log in.
const KEY_AND_LOGINS: &str =
    "SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'pg_session_jwt.jwk' AND source = 'client'),
       l.names, l.statements || ' -- the application then logs in as a separate role that may SET ROLE to it',
       'set pg_session_jwt.providers, or pg_session_jwt.jwk in postgresql.conf, and preload the library'
  FROM (SELECT string_agg(quote_ident(rolname), ', ' ORDER BY rolname),
               string_agg(format('ALTER ROLE %I NOLOGIN;', rolname), ' ' ORDER BY rolname)
          FROM pg_roles WHERE rolcanlogin AND oid IN (SELECT oid FROM end_user)) l (names, statements)";

/// Whether clients may send their own key.
const CLIENT_KEYS: &str = "SELECT current_setting('pg_session_jwt.client_keys', true) = 'on'";

/// Whether some database of this cluster has providers.
const STORED_PROVIDERS: &str = "SELECT EXISTS (
           SELECT FROM pg_db_role_setting CROSS JOIN unnest(setconfig) c WHERE lower(c) ~ '^pg_session_jwt[.]providers=.')";

/// Whether this library validates OAuth logins, and whether the caller may read pg_hba.conf.
const LOGINS: &str = "SELECT EXISTS (
           SELECT FROM regexp_split_to_table(current_setting('oauth_validator_libraries', true), ',') l
            WHERE btrim(l, ' \"') ~ '(^|/)pg_session_jwt([.]so)?$'),
       has_table_privilege('pg_hba_file_rules', 'SELECT') AND has_function_privilege('pg_hba_file_rules()', 'EXECUTE')";

const LOGIN_RULES: &str = "SELECT EXISTS (SELECT FROM pg_hba_file_rules WHERE auth_method = 'oauth')";

/// Inspects the settings as they are in this session.
pub fn inspect(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    if !values::is_preloaded() {
        let object = "shared_preload_libraries";
        rows.push(FindingRow::with(
            Finding::LibraryNotPreloaded,
            object,
            messages::LIBRARY_NOT_PRELOADED,
        ));
    }
    outdated(rows);
    let is_proxy = match mode::mode_in_transaction() {
        Ok(Mode::Provider(providers)) => {
            client_keys(catalog, rows)?;
            return of_providers(catalog, &providers, rows);
        }
        Err(failure) => {
            let report = failure.report();
            let detail = report.detail.map_or_else(String::new, |detail| format!(" {detail}"));
            rows.push(FindingRow::new(
                Finding::SettingUnusable,
                failure.setting().unwrap_or(names::text(names::PREFIX)),
                format!(
                    "Every function that reads the identity fails: {}.{detail}",
                    report.message
                ),
                "Correct the setting, or remove it.",
            ));
            return Ok(());
        }
        Ok(Mode::Proxy(_)) => true,
        Ok(Mode::Claims) => {
            if values::is_preloaded() {
                client_keys(catalog, rows)?;
            }
            false
        }
        // Where nothing else is trusted, a proxy sends the key, unless another database has providers.
        Ok(Mode::Off) => {
            if catalog.is_true(STORED_PROVIDERS)? {
                client_keys(catalog, rows)?;
            }
            false
        }
    };
    catalog.each(KEY_AND_LOGINS, |row| {
        let is_clients_key = row.get::<bool>(1)?.unwrap_or(true);
        let is_servers_key = is_proxy && !is_clients_key;
        let logins = row.get::<TextBytes>(2)?;
        if let Some(logins) = logins.filter(|_| !is_servers_key || !values::is_preloaded()) {
            let choices = [row.get::<TextBytes>(3)?, row.get::<TextBytes>(4)?];
            let choices = choices.into_iter().flatten().map(|choice| choice.0);
            rows.push(FindingRow::new(
                Finding::IdentityForgeable,
                logins.0,
                messages::IDENTITY_FORGEABLE,
                remedy::of_choices(&choices.collect::<Vec<_>>()),
            ));
        }
        if !is_servers_key && values::claims_fallback() {
            let object = names::text(names::CLAIMS_FALLBACK);
            rows.push(FindingRow::with(Finding::ClaimsMode, object, messages::CLAIMS_MODE));
        }
        Ok(())
    })
}

/// Whether the caller may see the providers, as for `auth.providers()`.
pub fn may_see_providers() -> bool {
    catalog::current_user_has_privileges_of(pg_sys::Oid::from(pg_sys::ROLE_PG_READ_ALL_SETTINGS))
}

fn client_keys(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    if catalog.is_true(CLIENT_KEYS)? {
        let object = "pg_session_jwt.client_keys";
        rows.push(FindingRow::with(Finding::ClientKeys, object, messages::CLIENT_KEYS));
    }
    Ok(())
}

/// Whether OAuth logins are enabled. Where the caller may not read pg_hba.conf, the validator alone counts.
fn has_oauth_logins(catalog: &Catalog<'_>) -> spi::Result<bool> {
    let (mut is_validator, mut sees_rules) = (false, false);
    catalog.each(LOGINS, |row| {
        is_validator = row.get(1)?.unwrap_or(false);
        sees_rules = row.get(2)?.unwrap_or(false);
        Ok(())
    })?;
    Ok(is_validator && (!sees_rules || catalog.is_true(LOGIN_RULES)?))
}

fn of_providers(catalog: &Catalog<'_>, providers: &Providers, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    if !may_see_providers() {
        let object = names::text(names::PROVIDERS);
        rows.push(FindingRow::with(
            Finding::NotChecked,
            object,
            messages::PROVIDERS_NOT_VISIBLE,
        ));
        return Ok(());
    }
    let has_oauth_logins = has_oauth_logins(catalog)?;
    let roles = Roles::of(catalog)?;
    providers.await_first();
    for (index, (provider, keys)) in providers.list.iter().zip(&providers.keys).enumerate() {
        let object = format!("{} [{}]", names::text(names::PROVIDERS), index + 1);
        let condition = keys.condition();
        let problems: Vec<_> = condition.members.iter().map(|key| provider.problem_of(key)).collect();
        if problems.iter().all(Option::is_some) {
            let problem = problems.into_iter().flatten().next();
            let problem = problem.map_or_else(|| "the key set is empty".to_owned(), |problem| problem.to_string());
            let error = condition.error.unwrap_or(problem);
            rows.push(FindingRow::new(
                Finding::ProviderWithoutKeys,
                &object,
                format!("It has no usable key, so its tokens are rejected: {error}."),
                "SELECT * FROM auth.providers(); lists each key with its problem.",
            ));
        }
        if has_oauth_logins && provider.roles.is_empty() {
            rows.push(FindingRow::with(
                Finding::ProviderWithoutRoles,
                &object,
                messages::PROVIDER_WITHOUT_ROLES,
            ));
        }
        if provider.audience.is_empty() && provider.claims.is_empty() {
            let (finding, message) = if provider.issuer.as_deref().is_some_and(is_shared) {
                (Finding::IssuerShared, messages::ISSUER_SHARED)
            } else if has_oauth_logins {
                (Finding::LoginWithoutAudience, messages::LOGIN_WITHOUT_AUDIENCE)
            } else {
                (Finding::ProviderWithoutAudience, messages::PROVIDER_WITHOUT_AUDIENCE)
            };
            rows.push(FindingRow::with(finding, &object, message));
        }
        unused_algorithms(provider, &condition.members, &object, rows);
        roles.inspect(provider, &object, rows);
    }
    Ok(())
}

/// Reports the algorithms of a provider for which it has no key. A provider without any usable key has another finding.
fn unused_algorithms(provider: &Provider, keys: &[Member], object: &str, rows: &mut Vec<FindingRow>) {
    let mut usable = keys.iter().filter(|key| provider.problem_of(key).is_none()).peekable();
    if usable.peek().is_none() {
        return;
    }
    let used: Vec<_> = usable.flat_map(|key| &key.algorithms).collect();
    let unused = provider.algorithms.iter().filter(|algorithm| !used.contains(algorithm));
    let unused: Vec<String> = unused.map(|algorithm| format!("{algorithm:?}")).collect();
    if !unused.is_empty() {
        rows.push(FindingRow::new(
            Finding::ProviderAlgorithmUnused,
            object,
            format!(
                "\"algorithms\" has {}, for which the provider has no key.",
                unused.join(", ")
            ),
            "Remove it from \"algorithms\", unless such a key is to come.",
        ));
    }
}

fn outdated(rows: &mut Vec<FindingRow>) {
    let number = lookup::current(c"server_version_num").and_then(|text| text.to_str().ok()?.parse().ok());
    let Some((running, needed)) = number.and_then(|number| Some((number, version::oldest_fixed(number)?))) else {
        return;
    };
    if running < needed {
        let [running, needed] = [running, needed].map(|number: i32| format!("{}.{}", number / 10_000, number % 10_000));
        rows.push(FindingRow::new(
            Finding::PostgresOutdated,
            "server_version",
            format!("PostgreSQL {running} lacks security fixes that matter where end users send SQL."),
            format!("Update to PostgreSQL {needed} or later of the same major."),
        ));
    }
}
