//! `auth.verify()`: the SQL function; the rows are those of [`examine`](crate::identity::examine).

#![forbid(unsafe_code)]

use pgrx::prelude::*;

#[pg_schema]
mod auth {
    use pgrx::prelude::*;

    use crate::error::Failure;
    use crate::identity::examine::{self, Row};
    use crate::pg::sql_types::{PresentedToken, Text, text_from_utf8};

    /// Each rule for a token with its result, for administrators. The token is not set, and nothing else changes. With
    /// `role` the provider's `roles` count as well.
    #[pg_extern(volatile, parallel_unsafe)]
    fn verify(
        jwt: Option<PresentedToken>,
        role: default!(Option<&str>, "NULL"),
    ) -> TableIterator<
        'static,
        (
            name!(rule, &'static str),
            name!(passed, Option<bool>),
            name!(detail, Option<Text>),
        ),
    > {
        let argument = "jwt";
        let jwt = jwt.unwrap_or_else(|| Failure::NullArgument { argument }.raise());
        let rows = match jwt {
            PresentedToken::Text(token) => {
                examine::rows(token.as_bytes(), role).unwrap_or_else(|failure| failure.raise())
            }
            PresentedToken::TooLong(bytes) => examine::rows_of_too_long(bytes),
        };
        TableIterator::new(rows.into_iter().map(|row: Row| {
            let detail = (!row.detail.is_empty()).then(|| text_from_utf8(&row.detail)).flatten();
            (row.rule, row.passed, detail)
        }))
    }
}
