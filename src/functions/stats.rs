//! `auth.stats()` and `auth.reset_stats()`: what the server has counted.
//!
//! One row for each number, so that a new statistic is a new row: views and queries of exporters that use the function
//! remain valid.

#![forbid(unsafe_code)]

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;

use crate::error::Failure;
use crate::identity::shared_cache;
use crate::jwks::shared_table;
use crate::pg::catalog;
use crate::pg::clock::timestamp;
use crate::pg::sql_types::{Name, Text, name, text_from_utf8};
use crate::statistics::{self, Origin, Reason, RowCounts};

#[pg_schema]
mod auth {
    use pgrx::datum::TimestampWithTimeZone;
    use pgrx::prelude::*;

    use super::{reset, rows};
    use crate::pg::sql_types::{Name, Text};

    /// What the server has counted since its start or `auth.reset_stats()`.
    #[pg_extern(volatile, parallel_restricted)]
    #[expect(clippy::type_complexity, reason = "pgrx reads the columns from the type")]
    fn stats() -> TableIterator<
        'static,
        (
            name!(database, Option<Name>),
            name!(issuer, Option<Text>),
            name!(statistic, &'static str),
            name!(detail, Option<Text>),
            name!(value, f64),
            name!(stats_reset, Option<TimestampWithTimeZone>),
        ),
    > {
        let (rows, reset_at) = rows().unwrap_or_else(|failure| failure.raise());
        TableIterator::new(
            rows.into_iter()
                .map(move |row| (row.database, row.issuer, row.statistic, row.detail, row.value, reset_at)),
        )
    }

    /// Sets all statistics to 0.
    #[pg_extern(volatile, parallel_unsafe)]
    fn reset_stats() {
        reset().unwrap_or_else(|failure| failure.raise());
    }
}

/// A row of `auth.stats()`.
struct StatsRow {
    database: Option<Name>,
    issuer: Option<Text>,
    statistic: &'static str,
    detail: Option<Text>,
    value: f64,
}

/// The issuer of the row for all that have no other.
const OTHERS: &str = "others";

/// The rows, and the time since when they count.
///
/// # Errors
/// [`Failure::NotPreloaded`]
fn rows() -> Result<(Vec<StatsRow>, Option<TimestampWithTimeZone>), Failure> {
    let statistics = statistics::read().ok_or(Failure::NotPreloaded)?;
    let mut rows = Vec::new();
    statistics.rows.iter().for_each(|counts| of_issuer(counts, &mut rows));
    for entry in shared_table::entries() {
        for (statistic, value) in [
            ("fetches", entry.counted_fetches),
            ("failed_fetches", entry.failed_fetches),
        ] {
            rows.push(of_server(statistic, Some(entry.url()), value));
        }
    }
    rows.push(of_server("cache_entries", None, shared_cache::entries() as u64));
    rows.push(of_server("cache_evictions", None, statistics.evictions));
    Ok((rows, timestamp(statistics.reset_at)))
}

/// Adds the rows of one issuer.
fn of_issuer(counts: &RowCounts, rows: &mut Vec<StatsRow>) {
    let database = counts.issuer.as_ref().and_then(|of| of.database);
    let issuer = counts.issuer.as_ref().map_or(Some(OTHERS), |of| of.issuer.as_deref());
    let accepted = Origin::ALL.into_iter().zip(counts.accepted);
    let accepted = accepted.map(|(origin, count)| ("accepted", Some(origin.name()), count as f64));
    let rejected = Reason::ALL.into_iter().zip(counts.rejected);
    let rejected = rejected.map(|(reason, count)| ("rejected", Some(reason.name()), count as f64));
    let milliseconds = counts.nanoseconds as f64 / 1e6;
    let all = accepted
        .chain(rejected)
        .chain([("verification_time", None, milliseconds)]);
    rows.extend(all.map(|(statistic, detail, value)| StatsRow {
        database: database.and_then(catalog::database_name).and_then(name),
        issuer: issuer.and_then(text),
        statistic,
        detail: detail.and_then(text_from_utf8),
        value,
    }));
}

/// A row of the server.
fn of_server(statistic: &'static str, detail: Option<&str>, value: u64) -> StatsRow {
    StatsRow {
        database: None,
        issuer: None,
        statistic,
        detail: detail.and_then(text),
        value: value as f64,
    }
}

/// A text that is never NULL: where the database's encoding lacks a character, all but ASCII is escaped.
fn text(text: &str) -> Option<Text> {
    text_from_utf8(text).or_else(|| text_from_utf8(&text.escape_default().to_string()))
}

/// Sets all statistics to 0.
///
/// # Errors
/// [`Failure::NotPreloaded`]
fn reset() -> Result<(), Failure> {
    if !statistics::reset() {
        return Err(Failure::NotPreloaded);
    }
    shared_table::reset_counts();
    Ok(())
}
