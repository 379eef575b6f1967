//! Words that this project does not use, each with the word to use.

use super::Fault;

/// Forms of a banned word or phrase, separated by `|`, and what to write. Compared without case, also in identifiers.
const BANNED: [(&str, &str); 27] = [
    (
        "judge|judges|judged|judging|judgement|judgements",
        "verify, verifier, verification",
    ),
    ("verdict|verdicts", "result, outcome"),
    (
        "nobody|nobodys|no one",
        "no identity, session without an identity, no role",
    ),
    (
        "somebody|somebodys|someone",
        "a user, an authenticated session, another process",
    ),
    ("everybody|everybodys|everyone", "every user, all roles, PUBLIC"),
    ("whoever|whomever", "name the actor"),
    ("anew", "again"),
    ("refuse|refuses|refused|refusing|refusal|refusals", "reject"),
    ("mended|mends|mend", "fixed, fix"),
    (
        "take on an identity|takes on an identity|taken on|takes on its identity|took on|takes on the identity",
        "adopt, set",
    ),
    ("folder|folders", "directory"),
    ("front end|front ends", "gateway, proxy, client"),
    ("looked at|looks at", "inspected, read"),
    ("looked into|looks into", "inspected, evaluated"),
    ("is told|are told|was told|be told", "is reported, receives"),
    ("in words", "message, text"),
    ("check up|check ups", "audit, checker"),
    ("past rls|past row level security", "bypasses row-level security"),
    ("shuts off|shut off", "disables"),
    ("living session|living sessions", "open session"),
    ("believed|believes|believe", "trusted"),
    ("held by policies|held by the policies", "subject to row-level security"),
    ("come again|comes again|came again", "is repeated, recurs"),
    ("as above", "name the guarantee and who gives it"),
    ("goes on|go on|went on|going on", "continues, steps"),
    ("of its own|of their own|of his own", "own, separate"),
    ("says whose|say whose|says who|say who", "begin with what defines it"),
];

/// The banned words of a text.
pub fn banned_in(text: &str) -> Vec<Fault> {
    let words: Vec<(usize, String)> = (1..)
        .zip(text.lines())
        .flat_map(|(line, content)| split(content).into_iter().map(move |word| (line, word)))
        .collect();
    let mut faults = Vec::new();
    for (forms, better) in BANNED {
        for form in forms.split('|') {
            let form: Vec<&str> = form.split(' ').collect();
            for found in words.windows(form.len()) {
                if found.iter().zip(&form).all(|((_, word), form)| word == form) {
                    let advice = format!("\"{}\": write {better}", form.join(" "));
                    faults.push(Fault {
                        line: found[0].0,
                        advice,
                    });
                }
            }
        }
    }
    faults
}

/// The words of a line in lower case; `JudgedLater` and `judge_later` are two words each, and an apostrophe is dropped.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in line.chars().filter(|letter| *letter != '\'' && *letter != '’') {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words.last_mut().unwrap().extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn a_banned_word_is_found_in_prose_and_in_names() {
    let text = "Nobody's key.\nfn judge_later() { JudgedLater }\n// a living\n// session";
    let found: Vec<(usize, String)> = banned_in(text)
        .into_iter()
        .map(|fault| (fault.line, fault.advice))
        .collect();
    let expected = [
        (2, "\"judge\": write verify, verifier, verification"),
        (2, "\"judged\": write verify, verifier, verification"),
        (
            1,
            "\"nobodys\": write no identity, session without an identity, no role",
        ),
        (3, "\"living session\": write open session"),
    ];
    assert_eq!(found, expected.map(|(line, advice)| (line, advice.to_owned())));
}
