//! Which user ids may log in.

use pg_session_jwt_token::user_id::is_readable;

#[test]
fn what_people_and_providers_write_is_readable() {
    for user_id in [
        "alice",
        "user_2abc",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "alice@example.com",
        "Älice Müller",
        "李雷",
        "مستخدم",
        "0",
    ] {
        assert!(is_readable(user_id), "{user_id:?}");
    }
}

/// attack: 153
#[test]
fn what_a_reader_of_the_log_could_take_for_another_is_not() {
    for user_id in ["", " ", " alice", "alice ", "alice\u{a0}", "\u{3000}alice"] {
        assert!(!is_readable(user_id), "{user_id:?}");
    }
    for c in [
        '\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{ad}', '\u{61c}', '\u{180e}', '\u{200b}',
        '\u{200d}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{2060}', '\u{2066}', '\u{2069}',
        '\u{feff}', '\u{fffb}',
    ] {
        assert!(!is_readable(&format!("ali{c}ce")), "{c:?}");
    }
}
