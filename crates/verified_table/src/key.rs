//! The key of an entry: a digest of the token and of everything that the result of its verification depends on.
//!
//! Whatever changes, the key differs, so that no entry has to be removed. The time, the role and the user of an OAuth login
//! are not part of it, because they are checked at each use.

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

/// A SHA-256 digest.
pub type Digest = [u8; SHA256_OUTPUT_LEN];

/// Returns the digest of a text.
pub fn digest(text: &[u8]) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(text);
    finish(context)
}

/// The settings and keys that tokens are verified with, as one digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sources(Digest);

impl Sources {
    /// The digest of the providers' setting, as it was parsed, and of the key set of each provider. None stands for a set
    /// that is missing or unusable, and for one that is in the setting itself.
    pub fn new(setting: &Digest, key_sets: impl IntoIterator<Item = Option<Digest>>) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(setting);
        for set in key_sets {
            match set {
                // As long as a digest with its mark, so that no two lists have the same bytes.
                None => context.update(&[0; 1 + SHA256_OUTPUT_LEN]),
                Some(digest) => {
                    context.update(&[1]);
                    context.update(&digest);
                }
            }
        }
        Sources(finish(context))
    }
}

/// What the outcome of a verification depends on.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// A random secret of the server. Without it a client cannot choose the set that a token belongs to.
    pub secret: &'a Digest,
    /// The version of the verifier.
    pub version: &'a str,
    /// The encoding of the database, in which the identity is stored.
    pub encoding: i32,
    /// The providers and their keys.
    pub sources: &'a Sources,
    /// The digest of the token.
    pub token: &'a Digest,
}

/// The key of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(pub(crate) [u64; 4]);

impl Basis<'_> {
    /// The key. All parts have a fixed length, except the version at the end.
    pub fn key(&self) -> Key {
        let mut context = Context::new(&SHA256);
        context.update(self.secret);
        context.update(self.token);
        context.update(&self.sources.0);
        context.update(&self.encoding.to_le_bytes());
        context.update(self.version.as_bytes());
        let digest = finish(context);
        let (chunks, _) = digest.as_chunks::<8>();
        let mut key = [0; 4];
        for (word, chunk) in key.iter_mut().zip(chunks) {
            *word = u64::from_le_bytes(*chunk);
        }
        Key(key)
    }
}

fn finish(context: Context) -> Digest {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    for (byte, value) in bytes.iter_mut().zip(context.finish().as_ref()) {
        *byte = *value;
    }
    bytes
}
