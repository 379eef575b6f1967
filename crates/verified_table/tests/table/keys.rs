//! Everything that an outcome depends on changes the key.

use verified_table::{Basis, Digest, Key, Sources, digest};

/// The parts of a key, which each case changes.
#[derive(Clone)]
struct Parts {
    secret: Digest,
    version: &'static str,
    encoding: i32,
    setting: Digest,
    key_sets: Vec<Option<Digest>>,
    token: Digest,
}

impl Parts {
    fn key(&self) -> Key {
        let sources = Sources::new(&self.setting, self.key_sets.iter().copied());
        Basis {
            secret: &self.secret,
            version: self.version,
            encoding: self.encoding,
            sources: &sources,
            token: &self.token,
        }
        .key()
    }
}

fn parts() -> Parts {
    Parts {
        secret: [1; 32],
        version: "1.0.0",
        encoding: 6,
        setting: digest(b"[...]"),
        key_sets: vec![Some(digest(b"a")), None, Some(digest(b"b"))],
        token: digest(b"token"),
    }
}

#[test]
fn the_same_parts_have_the_same_key() {
    assert_eq!(parts().key(), parts().key());
}

/// A part, and what changes it.
type Change = (&'static str, fn(&mut Parts));

#[test]
fn each_part_changes_the_key() {
    let changes: [Change; 14] = [
        ("the secret", |parts| parts.secret = [2; 32]),
        ("one bit of the secret", |parts| parts.secret[31] ^= 1),
        ("the version", |parts| parts.version = "1.0.1"),
        ("a longer version", |parts| parts.version = "1.0.00"),
        ("the encoding", |parts| parts.encoding = 8),
        ("the setting", |parts| parts.setting = digest(b"[... ]")),
        ("the token", |parts| parts.token = digest(b"tokeN")),
        ("a key set", |parts| parts.key_sets[0] = Some(digest(b"c"))),
        ("a key set that is missing", |parts| parts.key_sets[0] = None),
        ("a key set that was fetched", |parts| {
            parts.key_sets[1] = Some(digest(b"a"))
        }),
        ("the last key set is missing", |parts| parts.key_sets[2] = None),
        ("the order of the key sets", |parts| parts.key_sets.reverse()),
        ("one more provider", |parts| parts.key_sets.push(None)),
        ("one provider less", |parts| parts.key_sets.truncate(2)),
    ];
    let mut keys = vec![parts().key()];
    for (name, change) in changes {
        let mut parts = parts();
        change(&mut parts);
        let key = parts.key();
        assert!(!keys.contains(&key), "{name}");
        keys.push(key);
    }
}

#[test]
fn the_digest_is_sha_256() {
    // FIPS 180-2, appendix B.1.
    let expected: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| {
            let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
            u8::from_str_radix(&hex[at..at + 2], 16).unwrap()
        })
        .collect();
    assert_eq!(digest(b"abc").to_vec(), expected);
}
