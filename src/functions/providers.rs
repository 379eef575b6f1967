//! `auth.providers()`: the keys of the providers, which of them are unusable and why, and how old they are.

#![forbid(unsafe_code)]

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;

use crate::error::Failure;
use crate::identity::mode;
use crate::identity::mode::Mode;
use crate::keys::condition::Condition;
use crate::pg::clock::timestamp;
use crate::pg::sql_types::{Text, text_from_utf8};
use crate::token::Excerpt;
use crate::token::key_problem::Member;
use crate::token::provider::{KeySource, Provider};

#[pg_schema]
mod auth {
    use pgrx::datum::TimestampWithTimeZone;
    use pgrx::prelude::*;

    use super::rows;
    use crate::pg::sql_types::Text;

    /// The keys of the providers.
    #[pg_extern(volatile, parallel_unsafe)]
    #[expect(clippy::type_complexity, reason = "pgrx reads the columns from the type")]
    fn providers() -> TableIterator<
        'static,
        (
            name!(provider, i32),
            name!(issuer, Option<Text>),
            name!(source, &'static str),
            name!(location, Option<Text>),
            name!(kid, Option<Text>),
            name!(kty, Option<Text>),
            name!(alg, Option<Text>),
            name!(usable, bool),
            name!(reason, Option<Text>),
            name!(fetched_at, Option<TimestampWithTimeZone>),
            name!(next_refresh, Option<TimestampWithTimeZone>),
            name!(last_error, Option<Text>),
        ),
    > {
        let rows = rows().unwrap_or_else(|failure| failure.raise());
        TableIterator::new(rows.into_iter().map(|row| {
            (
                row.provider,
                row.issuer,
                row.source,
                row.location,
                row.kid,
                row.kty,
                row.alg,
                row.usable,
                row.reason,
                row.fetched_at,
                row.next_refresh,
                row.last_error,
            )
        }))
    }
}

/// A row of `auth.providers()`.
struct KeyRow {
    pub provider: i32,
    pub issuer: Option<Text>,
    pub source: &'static str,
    pub location: Option<Text>,
    pub kid: Option<Text>,
    pub kty: Option<Text>,
    pub alg: Option<Text>,
    pub usable: bool,
    pub reason: Option<Text>,
    pub fetched_at: Option<TimestampWithTimeZone>,
    pub next_refresh: Option<TimestampWithTimeZone>,
    pub last_error: Option<Text>,
}

/// Returns one row per key, and one row per provider without keys; no rows outside of provider mode.
///
/// # Errors
/// Those of [`mode::mode_in_transaction`].
fn rows() -> Result<Vec<KeyRow>, Failure> {
    let Mode::Provider(providers) = mode::mode_in_transaction()? else {
        return Ok(Vec::new());
    };
    providers.await_first();
    let mut rows = Vec::new();
    for (index, (provider, keys)) in providers.list.iter().zip(&providers.keys).enumerate() {
        let condition = keys.condition();
        let number = i32::try_from(index).unwrap_or(i32::MAX).saturating_add(1);
        let row = |member: Option<&Member>| KeyRow::new(number, provider, &condition, member);
        rows.extend(condition.members.iter().map(|member| row(Some(member))));
        if condition.members.is_empty() {
            rows.push(row(None));
        }
    }
    Ok(rows)
}

impl KeyRow {
    fn new(provider_number: i32, provider: &Provider, condition: &Condition, member: Option<&Member>) -> Self {
        let (source, location) = match &provider.source {
            KeySource::Inline(_) => ("jwks", None),
            KeySource::File(path) => ("jwks_file", Some(path.clone())),
            KeySource::Url(url) => ("jwks_url", Some(url.clone())),
            // Until the document has led to a key set, the first address of the document itself.
            KeySource::Discovery(discovery) => {
                let found = condition.discovered_url.clone();
                ("discovery", found.or_else(|| discovery.documents().into_iter().next()))
            }
        };
        let excerpt = |excerpt: Option<&Excerpt>| excerpt.and_then(|excerpt| text_from_utf8(&excerpt.to_string()));
        let problem = member.and_then(|member| provider.problem_of(member));
        let reason = match member {
            None => Some("there are no keys".to_owned()),
            Some(_) => problem.as_ref().map(ToString::to_string),
        };
        KeyRow {
            provider: provider_number,
            issuer: provider.issuer.as_deref().and_then(text_from_utf8),
            source,
            location: location.as_deref().and_then(text_from_utf8),
            kid: excerpt(member.and_then(|member| member.kid.as_ref())),
            kty: excerpt(member.and_then(|member| member.kty.as_ref())),
            alg: excerpt(member.and_then(|member| member.alg.as_ref())),
            usable: member.is_some() && problem.is_none(),
            reason: reason.and_then(|reason| text_from_utf8(&reason)),
            fetched_at: condition.fetched_at.and_then(timestamp),
            next_refresh: condition.next_at.and_then(timestamp),
            last_error: condition.error.as_deref().and_then(text_from_utf8),
        }
    }
}
