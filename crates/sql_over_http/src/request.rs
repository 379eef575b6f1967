//! A request of the driver: its body and its headers.

use http::{HeaderMap, HeaderName, header};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::failure::{Failure, sqlstate};
use crate::parameters::Parameters;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Single(Statement),
    Batch(Vec<Statement>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    pub sql: String,
    pub parameters: Parameters,
    /// Overrides the header Neon-Array-Mode.
    pub array_mode: Option<bool>,
}

impl Body {
    /// The bytes of all statements.
    pub fn size(&self) -> usize {
        match self {
            Body::Single(statement) => statement.size(),
            Body::Batch(statements) => statements.iter().map(Statement::size).sum(),
        }
    }
}

impl Statement {
    /// The bytes of its SQL and its parameters.
    pub fn size(&self) -> usize {
        self.sql.len() + self.parameters.encoded.len()
    }
}

/// What the headers tell of the response and of the transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Values as PostgreSQL's text, not as JSON's.
    pub raw_text: bool,
    /// Rows as arrays, not as objects.
    pub array_mode: bool,
    pub isolation: Option<Isolation>,
    pub read_only: Option<bool>,
    pub deferrable: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

const RAW_TEXT: HeaderName = HeaderName::from_static("neon-raw-text-output");
const ARRAY_MODE: HeaderName = HeaderName::from_static("neon-array-mode");
const ISOLATION: HeaderName = HeaderName::from_static("neon-batch-isolation-level");
const READ_ONLY: HeaderName = HeaderName::from_static("neon-batch-read-only");
const DEFERRABLE: HeaderName = HeaderName::from_static("neon-batch-deferrable");

impl Options {
    pub fn of_headers(headers: &HeaderMap) -> Result<Options, Failure> {
        let isolation = match only(headers, &ISOLATION)? {
            None => None,
            Some("ReadUncommitted") => Some(Isolation::ReadUncommitted),
            Some("ReadCommitted") => Some(Isolation::ReadCommitted),
            Some("RepeatableRead") => Some(Isolation::RepeatableRead),
            Some("Serializable") => Some(Isolation::Serializable),
            Some(_) => return Err(invalid(&ISOLATION)),
        };
        Ok(Options {
            raw_text: boolean(headers, &RAW_TEXT)?.unwrap_or(false),
            array_mode: boolean(headers, &ARRAY_MODE)?.unwrap_or(false),
            isolation,
            read_only: boolean(headers, &READ_ONLY)?,
            deferrable: boolean(headers, &DEFERRABLE)?,
        })
    }
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1). One that is given but empty or of another scheme is an
/// error, and never a request without a token.
pub fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let token = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(|value| value.split_once(' ')),
        (Some(_), Some(_)) => None,
    };
    match token.map(|(scheme, token)| (scheme, token.trim())) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => Ok(Some(token)),
        _ => Err(Failure::new(
            sqlstate::INVALID_AUTHORIZATION,
            "request must have one Authorization header of the form \"Bearer TOKEN\"",
        )),
    }
}

/// The value of a header that may be given once.
pub fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Failure> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| invalid(name)),
        (Some(_), Some(_)) => Err(Failure::new(
            sqlstate::INVALID_PARAMETER,
            format!("header {name} is given more than once"),
        )),
    }
}

fn boolean(headers: &HeaderMap, name: &HeaderName) -> Result<Option<bool>, Failure> {
    match only(headers, name)? {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(invalid(name)),
    }
}

fn invalid(name: &HeaderName) -> Failure {
    Failure::new(sqlstate::INVALID_PARAMETER, format!("invalid value of header {name}"))
}

/// Reads `{"query": …, "params": […]}` or `{"queries": [{"query": …, "params": […]}, …]}`. Other members are ignored.
pub fn parse_body(bytes: &[u8], max_statements: usize) -> Result<Body, Failure> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let body = json
        .deserialize_map(BodyVisitor { max_statements })
        .and_then(|body| json.end().map(|()| body));
    body.map_err(|error| {
        // serde_json's message quotes a value only where a type is wrong, and its place instead of the value tells as much.
        let place = format!("line {} column {}", error.line(), error.column());
        let problem = Problem::of(&error);
        Failure::new(problem.code, format!("{} at {place} of the body", problem.message))
    })
}

/// What of an error of serde_json a client may see.
struct Problem {
    code: &'static str,
    message: String,
}

/// Begins the errors that this module and parameters.rs make: they contain no value.
const OWN: [&str; 8] = [
    "a statement can have",
    "a batch can have",
    "a parameter contains",
    "a parameter is too long",
    "a query contains",
    "member ",
    "neither \"query\"",
    "both \"query\"",
];

impl Problem {
    fn of(error: &serde_json::Error) -> Problem {
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        if OWN.iter().any(|own| text.starts_with(own)) {
            let limit = text.contains(" can have at most ");
            let code = if limit {
                sqlstate::PROGRAM_LIMIT_EXCEEDED
            } else {
                sqlstate::INVALID_JSON
            };
            return Problem {
                code,
                message: text.to_owned(),
            };
        }
        let message = if error.is_data() {
            "value of an unexpected type"
        } else {
            "invalid JSON"
        };
        Problem {
            code: sqlstate::INVALID_JSON,
            message: message.to_owned(),
        }
    }
}

struct BodyVisitor {
    max_statements: usize,
}

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object with \"query\" or \"queries\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
        let mut members = Members::default();
        let mut batch = None;
        while let Some(name) = map.next_key::<Name>()? {
            if let Name::Queries = name {
                let list = map.next_value_seed(Statements {
                    most: self.max_statements,
                })?;
                if batch.replace(list).is_some() {
                    return Err(A::Error::custom("member \"queries\" is given more than once"));
                }
            } else {
                members.read(name, &mut map)?;
            }
        }
        match (members.sql.is_some(), batch) {
            (false, Some(list)) => Ok(Body::Batch(list)),
            (true, Some(_)) => Err(A::Error::custom("both \"query\" and \"queries\" are given")),
            (_, None) => members.statement().map(Body::Single),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Name {
    Query,
    Params,
    ArrayMode,
    Queries,
    #[serde(other)]
    Other,
}

/// The members of one statement.
#[derive(Default)]
struct Members {
    sql: Option<String>,
    parameters: Option<Parameters>,
    array_mode: Option<Option<bool>>,
}

impl Members {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: Name, map: &mut A) -> Result<(), A::Error> {
        let repeated = match name {
            Name::Query => self.sql.replace(map.next_value()?).is_some(),
            Name::Params => self.parameters.replace(map.next_value()?).is_some(),
            Name::ArrayMode => self.array_mode.replace(map.next_value()?).is_some(),
            Name::Queries | Name::Other => {
                map.next_value::<IgnoredAny>()?;
                false
            }
        };
        if repeated {
            Err(A::Error::custom("member of a statement is given more than once"))
        } else {
            Ok(())
        }
    }

    fn statement<E: serde::de::Error>(self) -> Result<Statement, E> {
        let sql = self
            .sql
            .ok_or_else(|| E::custom("neither \"query\" nor \"queries\" is given"))?;
        if sql.contains('\0') {
            return Err(E::custom("a query contains a null character"));
        }
        Ok(Statement {
            sql,
            parameters: self.parameters.unwrap_or_default(),
            array_mode: self.array_mode.flatten(),
        })
    }
}

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Statement, D::Error> {
        struct StatementVisitor;
        impl<'de> Visitor<'de> for StatementVisitor {
            type Value = Statement;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object with \"query\"")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Statement, A::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key()? {
                    members.read(name, &mut map)?;
                }
                members.statement()
            }
        }
        deserializer.deserialize_map(StatementVisitor)
    }
}

/// The statements of a batch, at most so many.
struct Statements {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Statements {
    type Value = Vec<Statement>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Statement>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Statements {
    type Value = Vec<Statement>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an array of queries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Statement>, A::Error> {
        let mut statements = Vec::new();
        while let Some(statement) = list.next_element()? {
            if statements.len() == self.most {
                return Err(A::Error::custom(format!(
                    "a batch can have at most {} statements",
                    self.most
                )));
            }
            statements.push(statement);
        }
        Ok(statements)
    }
}

#[cfg(test)]
mod tests;
