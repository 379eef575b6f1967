//! Who decides who the user is: the mode, the keys, the providers and the version of the server.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::check::catalog::{Catalog, Row};
use crate::check::finding::Finding;
use crate::check::version;
use crate::guc::{names, values};
use crate::identity::mode;
use crate::identity::mode::Mode;
use crate::keys::providers::Providers;

/// Whether the key of this session came from its own startup packet; the roles of end users that may log in.
const KEY_AND_LOGINS: &str =
    "SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'pg_session_jwt.jwk' AND source = 'client'),
       (SELECT string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM pg_roles
         WHERE rolcanlogin AND oid IN (SELECT oid FROM end_user))";

/// Whether clients may bring a key of their own.
const CLIENT_KEYS: &str = "SELECT current_setting('pg_session_jwt.client_keys', true) = 'on'";

/// Whether some database of this cluster has providers.
const STORED_PROVIDERS: &str = "SELECT EXISTS (
           SELECT FROM pg_db_role_setting CROSS JOIN unnest(setconfig) c WHERE lower(c) ~ '^pg_session_jwt[.]providers=.')";

/// Whether this library says who may log in, and whether pg_hba.conf can be read.
const LOGINS: &str = "SELECT EXISTS (
           SELECT FROM regexp_split_to_table(current_setting('oauth_validator_libraries', true), ',') l
            WHERE btrim(l, ' \"') ~ '(^|/)pg_session_jwt([.]so)?$'),
       has_table_privilege('pg_hba_file_rules', 'SELECT') AND has_function_privilege('pg_hba_file_rules()', 'EXECUTE')";

const LOGIN_RULES: &str = "SELECT EXISTS (SELECT FROM pg_hba_file_rules WHERE auth_method = 'oauth')";

/// Looks at the settings as they are in this session.
pub fn look(catalog: &Catalog<'_>, rows: &mut Vec<Row>) -> spi::Result<()> {
    if !values::is_preloaded() {
        rows.push(Row::new(
            Finding::LibraryNotPreloaded,
            "shared_preload_libraries",
            "pg_session_jwt is not in it: a connection's startup packet can bring its own key in place of the server's.",
            "Add pg_session_jwt to shared_preload_libraries and restart the server.",
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
            rows.push(Row::new(
                Finding::SettingUnusable,
                failure.setting().unwrap_or(names::PREFIX_TEXT),
                format!("Every auth function fails: {}.{detail}", report.message),
                "Correct it, or remove it.",
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
        // Where nothing else is believed, somebody's proxy brings the key, unless another database says otherwise.
        Ok(Mode::Off) => {
            if catalog.ask(STORED_PROVIDERS)? {
                client_keys(catalog, rows)?;
            }
            false
        }
    };
    catalog.each(KEY_AND_LOGINS, |row| {
        let is_clients_key = row.get::<bool>(1)?.unwrap_or(true);
        let is_servers_key = is_proxy && !is_clients_key;
        let logins = row.get::<crate::check::catalog::Words>(2)?;
        if let Some(logins) = logins.filter(|_| !is_servers_key || !values::is_preloaded()) {
            rows.push(Row::new(
                Finding::IdentityForgeable,
                logins.0,
                "End users may log in, and whoever opens a connection brings the key that its tokens are verified with.",
                "Set pg_session_jwt.providers, or pg_session_jwt.jwk in postgresql.conf, and preload the library; or NOLOGIN.",
            ));
        }
        if !is_servers_key && values::claims_fallback() {
            rows.push(Row::new(
                Finding::ClaimsMode,
                names::CLAIMS_FALLBACK_TEXT,
                "Without a key, request.jwt.claims is believed, which whoever can send SQL can set. Right only behind a front \
                 end such as PostgREST that lets nobody else send SQL.",
                "ALTER SYSTEM SET pg_session_jwt.claims_fallback = off;",
            ));
        }
        Ok(())
    })
}

/// Whether the caller may know of the providers, as for `auth.providers()`.
pub fn may_see_providers() -> bool {
    let role = pg_sys::Oid::from(pg_sys::ROLE_PG_READ_ALL_SETTINGS);
    // SAFETY: reads a global of this process.
    let user = unsafe { pg_sys::GetUserId() };
    // SAFETY: a catalog look-up in a transaction.
    unsafe { pg_sys::has_privs_of_role(user, role) }
}

fn client_keys(catalog: &Catalog<'_>, rows: &mut Vec<Row>) -> spi::Result<()> {
    if catalog.ask(CLIENT_KEYS)? {
        rows.push(Row::new(
            Finding::ClientKeys,
            "pg_session_jwt.client_keys",
            "A client that brings its own key in the startup packet is anybody in every database that has no providers.",
            "Set pg_session_jwt.client_keys = off in postgresql.conf, unless a proxy in front of this server brings the key.",
        ));
    }
    Ok(())
}

/// Whether tokens open logins. Where pg_hba.conf cannot be read, that there is a validator counts.
fn open_logins(catalog: &Catalog<'_>) -> spi::Result<bool> {
    let (mut is_validator, mut sees_rules) = (false, false);
    catalog.each(LOGINS, |row| {
        is_validator = row.get(1)?.unwrap_or(false);
        sees_rules = row.get(2)?.unwrap_or(false);
        Ok(())
    })?;
    Ok(is_validator && (!sees_rules || catalog.ask(LOGIN_RULES)?))
}

fn of_providers(catalog: &Catalog<'_>, providers: &Providers, rows: &mut Vec<Row>) -> spi::Result<()> {
    if !may_see_providers() {
        rows.push(Row::new(
            Finding::NotChecked,
            names::PROVIDERS_TEXT,
            "Only superusers and members of pg_read_all_settings see the providers: they and their roles were not checked.",
            "Call auth.check() as one of those.",
        ));
        return Ok(());
    }
    let open_logins = open_logins(catalog)?;
    providers.await_first();
    for (place, (provider, keys)) in providers.list.iter().zip(&providers.keys).enumerate() {
        let object = format!("{} [{}]", names::PROVIDERS_TEXT, place + 1);
        let condition = keys.condition();
        if !condition.members.iter().any(|member| member.problem.is_none()) {
            let error = condition.error.unwrap_or_else(|| "there are no keys".to_owned());
            rows.push(Row::new(
                Finding::ProviderWithoutKeys,
                &object,
                format!("It has no key that can be used, so its tokens are refused: {error}."),
                "SELECT * FROM auth.providers(); shows each key.",
            ));
        }
        if open_logins && provider.roles.is_empty() {
            rows.push(Row::new(
                Finding::ProviderWithoutRoles,
                &object,
                "It has no \"roles\", and tokens open logins: where pg_ident.conf does not say otherwise, each of its users may \
                 log in as any role that is no more than an end user's.",
                "Add \"roles\" with those that its users may log in as.",
            ));
        }
        if provider.audience.is_empty() {
            rows.push(Row::new(
                Finding::ProviderWithoutAudience,
                &object,
                "It has no \"audience\": a token that its issuer made for another application is good here, too.",
                "Add \"audience\", unless its tokens have no aud or the issuer serves this application alone.",
            ));
        }
    }
    Ok(())
}

fn outdated(rows: &mut Vec<Row>) {
    // SAFETY: the name is a C string; missing_ok makes it return null, and restrict_privileged is off.
    let number = unsafe { pg_sys::GetConfigOption(c"server_version_num".as_ptr(), true, false) };
    if number.is_null() {
        return;
    }
    // SAFETY: a C string that lives until the setting changes, which this one does not.
    let number = unsafe { std::ffi::CStr::from_ptr(number) }
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok());
    let Some((running, needed)) = number.and_then(|number| Some((number, version::oldest_good(number)?))) else {
        return;
    };
    if running < needed {
        let [running, needed] = [running, needed].map(|number: i32| format!("{}.{}", number / 10_000, number % 10_000));
        rows.push(Row::new(
            Finding::PostgresOutdated,
            "server_version",
            format!("PostgreSQL {running} lacks fixes that matter where end users send SQL."),
            format!("Update to PostgreSQL {needed} or later of the same major."),
        ));
    }
}
