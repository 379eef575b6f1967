//! The connection string of the driver: who the client says that it is, and the database.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::failure::{Failure, sqlstate};

/// What the gateway reads of a connection string. It ignores the host, the port and the parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub user: String,
    pub password: Option<String>,
    pub database: Option<String>,
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Address")
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// Reads `postgres://user[:password]@host[:port][/database][?…]`, also with `postgresql:`. No error contains a part of it.
pub fn parse(text: &str) -> Result<Address, Failure> {
    let url = Url::parse(text).map_err(|_| malformed("is not a URL"))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(malformed("does not begin with \"postgresql://\""));
    }
    let decoded = |text: &str| {
        let text = percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| malformed("has percent-encoded bytes that are not UTF-8"))?;
        if text.contains('\0') {
            Err(malformed("has a null character"))
        } else {
            Ok(text.into_owned())
        }
    };
    let user = decoded(url.username())?;
    if user.is_empty() {
        return Err(malformed("names no user"));
    }
    let password = url
        .password()
        .map(decoded)
        .transpose()?
        .filter(|password| !password.is_empty());
    let database = decoded(url.path().strip_prefix('/').unwrap_or_default())?;
    Ok(Address {
        user,
        password,
        database: (!database.is_empty()).then_some(database),
    })
}

fn malformed(problem: &str) -> Failure {
    Failure::new(sqlstate::INVALID_PARAMETER, format!("connection string {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("postgres://authenticated@db.example/app", "authenticated", None, Some("app"))]
    #[case("postgresql://a:b@db.example:5432/app?sslmode=require", "a", Some("b"), Some("app"))]
    #[case("postgresql://a:@db.example/", "a", None, None)]
    #[case("postgresql://a%20b:p%40%3A@db.example/my%2Fdb", "a b", Some("p@:"), Some("my/db"))]
    #[case("postgresql://%C3%A4@[::1]", "\u{e4}", None, None)]
    fn parts(#[case] text: &str, #[case] user: &str, #[case] password: Option<&str>, #[case] database: Option<&str>) {
        let address = parse(text).unwrap();
        assert_eq!(
            (
                address.user.as_str(),
                address.password.as_deref(),
                address.database.as_deref()
            ),
            (user, password, database)
        );
    }

    #[rstest]
    #[case("", "connection string is not a URL")]
    #[case("app", "connection string is not a URL")]
    #[case(
        "https://a:secret@db.example/app",
        "connection string does not begin with \"postgresql://\""
    )]
    #[case("postgres://db.example/app", "connection string names no user")]
    #[case("postgres://:secret@db.example/app", "connection string names no user")]
    #[case(
        "postgres://%ff@db.example/app",
        "connection string has percent-encoded bytes that are not UTF-8"
    )]
    #[case("postgres://a%00@db.example/app", "connection string has a null character")]
    fn malformed_strings(#[case] text: &str, #[case] message: &str) {
        let failure = parse(text).unwrap_err();
        assert_eq!(
            (failure.status, failure.code(), failure.fields.message.as_str()),
            (400, "22023", message)
        );
    }

    #[test]
    fn debug_hides_the_password() {
        let shown = format!("{:?}", parse("postgres://a:secret@db.example/app").unwrap());
        assert_eq!(shown, "Address { user: \"a\", database: Some(\"app\"), .. }");
    }
}
