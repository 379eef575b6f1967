//! `auth.provider_settings()`: the entry for the provider of a URL, and the statement that adds it to the list.

#![forbid(unsafe_code)]

use pgrx::prelude::*;

use crate::error::Failure;
use crate::keys::provider_list;
use crate::pg::sql_types::{Jsonb, Text, jsonb, text, text_from_utf8};
use crate::pg::{encoding, quote};
use crate::token::Error;
use crate::token::recognition::known::FillIn;
use crate::token::recognition::list::List;
use crate::token::recognition::{Problem, Recognized, entry, recognize};

#[pg_schema]
mod auth {
    use pgrx::prelude::*;

    use super::rows;
    use crate::pg::arguments::{ShortJsonb, ShortText};
    use crate::pg::sql_types::{Jsonb, Text};

    /// The entries for the provider of a URL.
    #[pg_extern(sql = r#"
        CREATE FUNCTION auth.provider_settings(url text, fill_in jsonb DEFAULT '{}') RETURNS TABLE
            (provider text, settings jsonb, to_fill_in jsonb, note text, page text, statement text)
        STRICT VOLATILE PARALLEL UNSAFE
        LANGUAGE c AS 'MODULE_PATHNAME', 'provider_settings_wrapper';"#)]
    #[expect(clippy::type_complexity, reason = "pgrx reads the columns from the type")]
    fn provider_settings(
        url: ShortText,
        fill_in: ShortJsonb,
    ) -> TableIterator<
        'static,
        (
            name!(provider, Option<Text>),
            name!(settings, Option<Jsonb>),
            name!(to_fill_in, Option<Jsonb>),
            name!(note, Option<Text>),
            name!(page, Option<Text>),
            name!(statement, Option<Text>),
        ),
    > {
        let rows = rows(url.0.as_deref(), fill_in.0.as_deref()).unwrap_or_else(|failure| failure.raise());
        TableIterator::new(rows.into_iter().map(|row| {
            (
                row.provider,
                row.settings,
                row.to_fill_in,
                row.note,
                row.page,
                row.statement,
            )
        }))
    }
}

/// A row of `auth.provider_settings()`.
struct EntryRow {
    pub provider: Option<Text>,
    pub settings: Option<Jsonb>,
    pub to_fill_in: Option<Jsonb>,
    pub note: Option<Text>,
    pub page: Option<Text>,
    pub statement: Option<Text>,
}

/// The rows. The statement of each row adds the entries of the rows before it, too, so that none is lost when all are run.
///
/// # Errors
/// [`Failure::NotRecognized`], and those of [`provider_list::of_database`].
fn rows(url: Option<&[u8]>, fill_in: Option<&[u8]>) -> Result<Vec<EntryRow>, Failure> {
    let utf8 = |text: Option<&[u8]>| text.and_then(encoding::from_server).map(|text| text.into_owned());
    let url = utf8(url).ok_or_else(|| Problem::Url("is too long, or has invalid characters".to_owned()));
    let fill_in = utf8(fill_in).ok_or_else(|| Problem::FillIn("are too long, or have invalid characters".to_owned()));
    let entries = url
        .and_then(|url| recognize(&url, &fill_in?))
        .map_err(Failure::NotRecognized)?;
    let mut list = provider_list::of_database()?;
    entries.iter().map(|entry| row(entry, &mut list)).collect()
}

fn row(recognized: &Recognized, list: &mut List) -> Result<EntryRow, Failure> {
    let Recognized {
        known,
        entry,
        to_fill_in,
    } = recognized;
    let (statement, note) = match list.provider_like(entry) {
        Some(index) => {
            let number = index.saturating_add(1);
            let present =
                format!("Provider {number} of the list accepts such tokens already, so there is no statement.");
            (None, format!("{present} {}", known.note))
        }
        None => {
            list.add(entry);
            (Some(statement(list)?), known.note.to_owned())
        }
    };
    Ok(EntryRow {
        provider: text_from_utf8(known.name),
        settings: jsonb(entry.as_bytes()).map(Jsonb),
        to_fill_in: jsonb(meanings(to_fill_in).as_bytes()).map(Jsonb),
        note: text_from_utf8(&note),
        page: text_from_utf8(&format!("docs/providers/{}", known.page)),
        statement,
    })
}

/// A JSON object of what to fill in, with the meaning of each.
fn meanings(to_fill_in: &[&FillIn]) -> String {
    let members: Vec<(&str, String)> = to_fill_in
        .iter()
        .map(|fill_in| (fill_in.name, entry::quoted(fill_in.meaning)))
        .collect();
    entry::object(&members)
}

fn statement(list: &List) -> Result<Text, Failure> {
    let parts = || {
        let mut statement = b"ALTER DATABASE ".to_vec();
        statement.extend(quote::database_name()?);
        statement.extend(b" SET pg_session_jwt.providers = ");
        statement.extend(quote::literal(list.text())?);
        text(&statement).map(Text)
    };
    parts().ok_or(Failure::Token(Error::NotEncodable))
}
