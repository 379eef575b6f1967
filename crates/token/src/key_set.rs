//! Key sets (RFC 7517 §5): the keys from which a token selects one, and the report of the members that cannot be used.

use crate::algorithm::Algorithm;
use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::json::{Json, Members};
use crate::key_document::Document;
use crate::key_problem::{KeyProblem, Member};
use crate::keys::{Key, parse_text};

/// The maximum number of keys of a set; a token without `kid` is compared with all of them.
pub const MAX_KEYS: usize = 100;

/// Keys from which a token selects one by `kid`.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Key>,
    /// All members of the set, in their order.
    pub members: Vec<Member>,
    /// Whether the set is one key that was configured by itself. A token's `kid` is ignored if this key has no `kid`.
    pinned: bool,
}

impl KeySet {
    /// The set of one key that was configured by itself.
    pub fn pinned(key: Key) -> Self {
        KeySet {
            keys: vec![key],
            members: Vec::new(),
            pinned: true,
        }
    }

    /// Reads a JWK Set (RFC 7517 §5). Members that cannot be used are skipped and reported.
    ///
    /// # Errors
    /// [`Error::KeySetTooLong`], [`Error::KeyNotJson`], [`Error::OtherDocument`], [`Error::NoUsableKey`].
    pub fn from_jwks(text: &str) -> Result<Self, Error> {
        KeySet::read(&parse_text(text)?, Key::from_members)
    }

    /// Like [`from_jwks`](KeySet::from_jwks), for a set within another JSON text.
    pub(crate) fn from_members(set: &Members) -> Result<Self, Error> {
        KeySet::read(set, Key::from_members)
    }

    /// Like [`from_jwks`](KeySet::from_jwks), for a set that others can read: symmetric keys are skipped as well.
    ///
    /// # Errors
    /// Those of `from_jwks`.
    pub fn from_public_jwks(text: &str) -> Result<Self, Error> {
        KeySet::read(&parse_text(text)?, Key::from_public_members)
    }

    /// Like [`from_public_jwks`](KeySet::from_public_jwks), for an issuer that announces its algorithms: other ones of the keys
    /// do not count.
    ///
    /// # Errors
    /// Those of `from_jwks`.
    pub fn from_narrowed_jwks(text: &str, announced: &[Algorithm]) -> Result<Self, Error> {
        KeySet::read(&parse_text(text)?, |jwk| Key::from_narrowed_members(jwk, announced))
    }

    fn read(set: &Members, read_key: impl Fn(&Members) -> Result<Key, KeyProblem>) -> Result<Self, Error> {
        let not_a_set = |problem: &str| Error::KeyNotJson {
            problem: problem.to_owned(),
        };
        let Some(Json::Array(members)) = set.get("keys") else {
            return Err(match Document::of(set) {
                Some(found) => Error::OtherDocument {
                    found,
                    wanted: Document::KeySet,
                },
                None => not_a_set("it has no array \"keys\""),
            });
        };
        if members.len() > MAX_KEYS {
            return Err(not_a_set("it has more than 100 keys"));
        }
        let mut keys: Vec<(usize, Key)> = Vec::new();
        let mut report = Vec::new();
        for (index, member) in members.iter().enumerate() {
            let key = match member {
                Json::Object(jwk) => read_key(jwk),
                _ => Err(KeyProblem::NotAnObject),
            };
            let read = key.map(|key| {
                let algorithms = key.algorithms.clone();
                match keys.iter_mut().find(|(_, other)| other.is_twin(&key)) {
                    Some((_, twin)) => twin.merge(key),
                    None => keys.push((index, key)),
                }
                algorithms
            });
            report.push(Member::new(member, read));
        }
        // Two keys with one `kid` and one algorithm: a token cannot identify either of them, so neither is used.
        let ambiguous = |index: usize, key: &Key| {
            let mut others = keys.iter().filter(|(other, _)| *other != index);
            others.any(|(_, other)| key.is_ambiguous_beside(other))
        };
        let (namesakes, unique): (Vec<_>, Vec<_>) =
            keys.iter().cloned().partition(|(index, key)| ambiguous(*index, key));
        for (index, _) in namesakes {
            if let Some(member) = report.get_mut(index) {
                member.problem = Some(KeyProblem::DuplicateKeyId);
            }
        }
        if unique.is_empty() {
            return Err(Error::NoUsableKey { members: report });
        }
        Ok(KeySet {
            keys: unique.into_iter().map(|(_, key)| key).collect(),
            members: report,
            pinned: false,
        })
    }

    /// Returns the members of the set that cannot be used, by their index, with the reason.
    pub fn skipped(&self) -> Vec<(usize, KeyProblem)> {
        let problem = |(index, member): (usize, &Member)| member.problem.clone().map(|problem| (index, problem));
        self.members.iter().enumerate().filter_map(problem).collect()
    }

    /// Whether one of the keys is a secret: anyone who can read it can sign.
    pub fn has_secret(&self) -> bool {
        self.keys.iter().any(Key::is_secret)
    }

    /// Returns the one key that a header identifies.
    ///
    /// # Errors
    /// [`Error::UnknownKeyId`], [`Error::AmbiguousKey`].
    pub fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, Error> {
        if let (true, [key]) = (self.pinned, self.keys.as_slice())
            && (key.kid.is_none() || kid.is_none())
        {
            return Ok(key);
        }
        if let Some(kid) = kid {
            let mut named = self.keys.iter().filter(|key| key.kid.as_deref() == Some(kid));
            let first = named
                .next()
                .ok_or_else(|| Error::UnknownKeyId { kid: Excerpt::new(kid) })?;
            // Keys with one `kid` have no algorithm in common.
            let fitting = std::iter::once(first).chain(named).find(|key| key.allows(algorithm));
            return Ok(fitting.unwrap_or(first));
        }
        let mut candidates = self.keys.iter().filter(|key| key.allows(algorithm));
        match (candidates.next(), candidates.count()) {
            (Some(key), 0) => Ok(key),
            (None, _) => Err(Error::AmbiguousKey { candidates: 0 }),
            (Some(_), more) => Err(Error::AmbiguousKey {
                candidates: more.saturating_add(1),
            }),
        }
    }
}
