//! The user ids that may log in.

use pg_session_jwt_token::user_id::is_readable;
use rstest::rstest;

#[rstest]
fn ids_of_people_and_providers_are_readable(
    #[values(
        "alice",
        "user_2abc",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "alice@example.com",
        "Älice Müller",
        "李雷",
        "مستخدم",
        "0"
    )]
    user_id: &str,
) {
    assert!(is_readable(user_id), "{user_id:?}");
}

/// attack: 153
#[rstest]
fn an_id_with_surrounding_blanks_is_not_readable(
    #[values("", " ", " alice", "alice ", "alice\u{a0}", "\u{3000}alice")] user_id: &str,
) {
    assert!(!is_readable(user_id), "{user_id:?}");
}

/// attack: 153
#[rstest]
fn an_id_with_an_invisible_character_is_not_readable(
    #[values(
        '\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{ad}', '\u{61c}', '\u{180e}', '\u{200b}',
        '\u{200d}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{2060}', '\u{2066}', '\u{2069}',
        '\u{feff}', '\u{fffb}'
    )]
    c: char,
) {
    assert!(!is_readable(&format!("ali{c}ce")), "{c:?}");
}
