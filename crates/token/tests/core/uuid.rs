//! UUIDs as text: one spelling of each.

use pg_session_jwt_token::uuid::parse;
use rstest::rstest;

const UUID: [u8; 16] = [
    0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0x11,
];

#[test]
fn the_canonical_form_is_read() {
    assert_eq!(parse("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), Some(UUID));
    assert_eq!(parse("00000000-0000-0000-0000-000000000000"), Some([0; 16]));
    assert_eq!(parse("ffffffff-ffff-ffff-ffff-ffffffffffff"), Some([0xFF; 16]));
}

/// Two user ids that differ are two users. If both were the same UUID, a user who can choose a name could become another.
/// attack: 153
#[rstest]
fn other_spellings_of_a_uuid_are_rejected(
    #[values(
        "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380A11",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
        "a0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
        "{A0eeBC999c0b4ef8bb6d6bb9bd380a11}",
        "a0ee-bc999c0b4ef8bb6d6bb9bd380a11",
        "a0eebc999c0b4ef8bb6d6bb9bd38-0a11",
        "a0eebc999-c0b-4ef8-bb6d-6bb9bd380a11",
        "a0eebc99-9c0b-4ef8-bb6d6-bb9bd380a11",
        "a0eebc99-9c0b-4ef8-bb6d--6bb9bd380a1"
    )]
    text: &str,
) {
    assert_eq!(parse(text), None, "{text}");
}

#[rstest]
fn anything_else_is_no_uuid(
    #[values(
        "",
        "{}",
        "{",
        "-",
        "user_2abcDEF",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
        "{{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}}",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}}",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11} ",
        "(a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11)",
        " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 ",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\n",
        "-a0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0eebc999c0b4ef8bb6d6bb9bd380a11-",
        "a0-eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0e-ebc999c0b4ef8bb6d6bb9bd380a11",
        "a0ee--bc999c0b4ef8bb6d6bb9bd380a11",
        "a0eebc999c0b4ef8bb6d6bb9bd380a-11",
        "a0eebc99_9c0b_4ef8_bb6d_6bb9bd380a11",
        "+0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "0xeebc999c0b4ef8bb6d6bb9bd380a1100",
        "\u{ff41}0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "urn:uuid:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    )]
    text: &str,
) {
    assert_eq!(parse(text), None, "{text:?}");
}
