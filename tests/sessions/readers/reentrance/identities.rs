//! The identities of a session in sequence, and the expected result of each function.
//!
//! Their lengths are few, so that freed memory of one value is soon reused by another.

use std::fmt::Write as _;

use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::prelude::{Strategy as _, any};
use proptest::sample::select;
use testkit::cases;
use testkit::signer::Signer;

use super::Mode;

/// The number of identities. Number zero is no identity, and a session starts again near the last one.
pub const IDENTITIES: usize = 400;

pub const ISSUER: &str = "https://issuer.example";

const FILLERS: [usize; 6] = [0, 8, 40, 200, 1000, 4000];

/// The SQL that fills the tables `re.identity` and `re.wanted`.
pub fn fill(mode: Mode, signer: &Signer) -> String {
    let fillers = || select(&FILLERS);
    let lengths = [fillers(), fillers(), fillers(), fillers()];
    let long = (weighted(0.05), 0..4_usize).prop_map(|(is_long, index)| is_long.then_some(index));
    let drawn = vec((lengths, long, any::<[bool; 2]>()), IDENTITIES);
    let mut sql = String::from("insert into re.identity values (0, '', '')");
    for (n, (lengths, long, are_uuids)) in (1..).zip(cases::value(0, &drawn)) {
        let claims = claims(mode, n, lengths, long, are_uuids);
        let token = match mode {
            Mode::Claims => String::new(),
            Mode::Proxy | Mode::Provider => signer.token("EdDSA", &claims),
        };
        write!(sql, ", ({n}, '{claims}', '{token}')").unwrap();
    }
    for level in 1..=super::functions::LEVELS {
        write!(sql, ", (-{level}, '{}', '')", elsewhere(level)).unwrap();
    }
    sql + WANTED
}

/// The claims that a function sets by its SET clause.
pub fn elsewhere(level: usize) -> String {
    let id = uuid(9000 + level);
    format!(
        r#"{{"sub":"{id}","role":"elsewhere{level}","email":"{}{level}","o":{{"id":"{id}"}}}}"#,
        "e".repeat(40)
    )
}

/// Claims with texts of these lengths. One of them may be long, and the user and the organization may be UUIDs.
fn claims(mode: Mode, n: usize, mut lengths: [usize; 4], long: Option<usize>, are_uuids: [bool; 2]) -> String {
    // Three quarters of the maximum: a token has at most 64 KiB.
    let longest = if matches!(mode, Mode::Claims) { 60_000 } else { 40_000 };
    if let Some(index) = long {
        // The length of all texts together.
        lengths[index] = 0;
        lengths[index] = longest - lengths.iter().sum::<usize>();
    }
    let letter = char::from(b"abcdefghijklmnopqrstuvwxyz"[n % 26]).to_string();
    let [sub, role, email, organization] = lengths.map(|length| letter.repeat(length));
    let [sub, organization] =
        [(sub, are_uuids[0]), (organization, are_uuids[1])].map(
            |(filler, is_uuid)| {
                if is_uuid { uuid(n) } else { format!("{n}{filler}") }
            },
        );
    let issuer = match mode {
        Mode::Provider => format!(r#""iss":"{ISSUER}","#),
        Mode::Claims | Mode::Proxy => String::new(),
    };
    format!(
        r#"{{{issuer}"jti":{n},"sub":"{sub}","role":"{n}{role}","email":"{n}{email}","o":{{"id":"{organization}"}}}}"#
    )
}

fn uuid(n: usize) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

/// No identity has no value, and JSON null for all claims.
const WANTED: &str = ";
    insert into re.wanted
        with c (n, c) as (select n, coalesce(nullif(claims, ''), 'null')::jsonb from re.identity),
            answers as (select n, c, c ->> 'sub' sub, c #>> '{o,id}' organization from c)
        select n, reader, value from answers, lateral (values
            ('user_id', sub), ('uid', case when length(sub) = 36 and sub like '%-%' then sub end),
            ('session', c::text), ('jwt', c::text), ('organization', (c -> 'o')::text),
            ('organization_id', case when length(organization) = 36 and organization like '%-%' then organization end),
            ('role', c ->> 'role'), ('email', c ->> 'email')) v (reader, value);
    analyze re.identity, re.wanted;";
