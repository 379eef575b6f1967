//! The identities of a session in sequence, and the expected result of each function.
//!
//! Their lengths are few, so that freed memory of one value is soon reused by another.

use std::fmt::Write as _;

use testkit::signer::Signer;

use super::Mode;
use crate::identity::sequences::random::Random;

/// The number of identities. Number zero is no identity, and a session starts again near the last one.
pub const IDENTITIES: usize = 400;

pub const ISSUER: &str = "https://issuer.example";

const FILLERS: [usize; 6] = [0, 8, 40, 200, 1000, 4000];

/// The SQL that fills the tables `re.identity` and `re.wanted`.
pub fn fill(mode: Mode, signer: &Signer, random: &mut Random) -> String {
    let mut sql = String::from("insert into re.identity values (0, '', '')");
    for n in 1..=IDENTITIES {
        let claims = claims(mode, n, random);
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

fn claims(mode: Mode, n: usize, random: &mut Random) -> String {
    // Three quarters of the maximum: a token has at most 64 KiB.
    let longest = if matches!(mode, Mode::Claims) { 60_000 } else { 40_000 };
    let mut lengths: [usize; 4] = std::array::from_fn(|_| random.pick(&FILLERS));
    if random.once_in(20) {
        lengths[random.below(4)] = longest;
    }
    let letter = char::from(b"abcdefghijklmnopqrstuvwxyz"[n % 26]).to_string();
    let [sub, role, email, organization] = lengths.map(|length| letter.repeat(length));
    let own = |filler: &str, random: &mut Random| match random.below(2) {
        0 => uuid(n),
        _ => format!("{n}{filler}"),
    };
    let (sub, organization) = (own(&sub, random), own(&organization, random));
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
