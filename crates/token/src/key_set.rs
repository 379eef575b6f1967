//! Key sets (RFC 7517 §5): the keys among which a token chooses, and what became of the members that cannot be used.

use jsonwebtoken::Algorithm;

use super::error::{Error, Excerpt, KeyProblem};
use super::json::{Json, Members};
use super::keys::{Key, parse_text};

/// Keys of a set; a token without `kid` is compared with all of them.
pub const MAX_KEYS: usize = 100;

/// A member of a set, as it is told to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `kid`, `kty` and `alg`, where they are strings.
    pub kid: Option<Excerpt>,
    /// RFC 7517 §4.1.
    pub kty: Option<Excerpt>,
    /// RFC 7517 §4.4.
    pub alg: Option<Excerpt>,
    /// Why it cannot be used.
    pub problem: Option<KeyProblem>,
}

impl Member {
    fn new(member: &Json<'_>, problem: Option<KeyProblem>) -> Self {
        let text = |name| match member {
            Json::Object(jwk) => jwk.get(name).and_then(Json::as_str).map(Excerpt::new),
            _ => None,
        };
        Member {
            kid: text("kid"),
            kty: text("kty"),
            alg: text("alg"),
            problem,
        }
    }
}

/// Why members of a set cannot be used, the first of them with their names.
pub fn reasons(members: &[Member]) -> String {
    const SHOWN: usize = 3;
    let reason = |(place, member): (usize, &Member)| {
        let problem = member.problem.as_ref()?;
        let number = place.saturating_add(1);
        Some(match &member.kid {
            Some(kid) => format!("key {number}, kid \"{kid}\": {problem}"),
            None => format!("key {number}: {problem}"),
        })
    };
    let mut reasons: Vec<String> = members.iter().enumerate().filter_map(reason).collect();
    if reasons.is_empty() {
        return "it is empty".to_owned();
    }
    let more = reasons.len().saturating_sub(SHOWN);
    reasons.truncate(SHOWN);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    reasons.join("; ")
}

/// Keys among which a token chooses by `kid`.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Key>,
    /// All members of the set, in their places.
    pub members: Vec<Member>,
    /// One key that was given by itself: a token's `kid` need not name it, if the key has no name.
    pinned: bool,
}

impl KeySet {
    /// The set of one key that was given by itself.
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
    /// [`Error::KeySetTooLong`], [`Error::KeyNotJson`], [`Error::NoUsableKey`].
    pub fn from_jwks(text: &str) -> Result<Self, Error> {
        KeySet::read(&parse_text(text)?, Key::from_members)
    }

    /// As [`from_jwks`](KeySet::from_jwks), for a set that stands inside of another JSON text.
    pub(super) fn from_members(set: &Members) -> Result<Self, Error> {
        KeySet::read(set, Key::from_members)
    }

    /// As [`from_jwks`](KeySet::from_jwks), for a set that others can read: symmetric keys are skipped, too.
    ///
    /// # Errors
    /// As `from_jwks`.
    pub fn from_public_jwks(text: &str) -> Result<Self, Error> {
        KeySet::read(&parse_text(text)?, Key::from_public_members)
    }

    fn read(set: &Members, read_key: fn(&Members) -> Result<Key, KeyProblem>) -> Result<Self, Error> {
        let not_a_set = |problem: &str| Error::KeyNotJson {
            problem: problem.to_owned(),
        };
        let Some(Json::Array(members)) = set.get("keys") else {
            return Err(not_a_set("it has no array \"keys\""));
        };
        if members.len() > MAX_KEYS {
            return Err(not_a_set("it has more than 100 keys"));
        }
        let mut keys: Vec<(usize, Key)> = Vec::new();
        let mut report = Vec::new();
        for (place, member) in members.iter().enumerate() {
            let key = match member {
                Json::Object(jwk) => read_key(jwk),
                _ => Err(KeyProblem::NotAnObject),
            };
            let problem = match key {
                Ok(key) => {
                    match keys.iter_mut().find(|(_, other)| other.is_twin(&key)) {
                        Some((_, twin)) => twin.merge(key),
                        None => keys.push((place, key)),
                    }
                    None
                }
                Err(problem) => Some(problem),
            };
            report.push(Member::new(member, problem));
        }
        // Two keys of one name: nobody can say which is meant, so neither is used.
        let ambiguous =
            |key: &Key| key.kid.is_some() && keys.iter().filter(|(_, other)| other.kid == key.kid).count() > 1;
        let (namesakes, unique): (Vec<_>, Vec<_>) = keys.iter().cloned().partition(|(_, key)| ambiguous(key));
        for (place, _) in namesakes {
            if let Some(member) = report.get_mut(place) {
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

    /// Members of the set that cannot be used, by their place, and why.
    pub fn skipped(&self) -> Vec<(usize, KeyProblem)> {
        let problem = |(place, member): (usize, &Member)| member.problem.clone().map(|problem| (place, problem));
        self.members.iter().enumerate().filter_map(problem).collect()
    }

    /// Whether one of the keys is a secret: whoever can read it can sign.
    pub fn has_secret(&self) -> bool {
        self.keys.iter().any(Key::is_secret)
    }

    /// The one key that a header means.
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
            let named = self.keys.iter().find(|key| key.kid.as_deref() == Some(kid));
            return named.ok_or_else(|| Error::UnknownKeyId { kid: Excerpt::new(kid) });
        }
        let mut candidates = self.keys.iter().filter(|key| key.admits(algorithm));
        match (candidates.next(), candidates.count()) {
            (Some(key), 0) => Ok(key),
            (None, _) => Err(Error::AmbiguousKey { candidates: 0 }),
            (Some(_), more) => Err(Error::AmbiguousKey {
                candidates: more.saturating_add(1),
            }),
        }
    }
}
