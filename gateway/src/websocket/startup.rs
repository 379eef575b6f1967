//! The first messages of a client: plain bytes, whatever the frames that bring them (PostgreSQL manual, "Start-up").

use bytes::{Buf as _, BytesMut};
use sql_over_http::failure::{Failure, sqlstate};

/// PostgreSQL's MAX_STARTUP_PACKET_LENGTH (src/include/libpq/pqcomm.h).
const LONGEST_START: usize = 10_000;
/// The longest token that the extension reads is 64 KiB. A longer password need not be read.
const LONGEST_PASSWORD: usize = 66_000;

const SSL_REQUEST: i32 = 80_877_103;
const GSS_REQUEST: i32 = 80_877_104;
const CANCEL_REQUEST: i32 = 80_877_102;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum First {
    /// A request for TLS or GSSAPI, which the WebSocket's own TLS makes needless.
    Encryption,
    /// A request to cancel what another WebSocket runs.
    Cancel {
        pid: i32,
        secret: i32,
    },
    Startup(Startup),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Startup {
    pub user: String,
    pub database: Option<String>,
    /// Settings that the gateway passes on.
    pub settings: Vec<(String, String)>,
}

/// What a client may set at the start. `options` would pass any setting, and others are not what a driver sends.
const SETTINGS: [&str; 9] = [
    "application_name",
    "client_encoding",
    "datestyle",
    "extra_float_digits",
    "idle_in_transaction_session_timeout",
    "intervalstyle",
    "lock_timeout",
    "statement_timeout",
    "timezone",
];

/// Takes the first message from the received bytes. None if more must come.
pub fn first(received: &mut BytesMut) -> Result<Option<First>, Failure> {
    let Some(mut message) = take(received, 0, LONGEST_START)? else {
        return Ok(None);
    };
    if message.len() < 4 {
        return Err(malformed());
    }
    match message.get_i32() {
        SSL_REQUEST | GSS_REQUEST if message.is_empty() => Ok(Some(First::Encryption)),
        CANCEL_REQUEST if message.len() == 8 => Ok(Some(First::Cancel {
            pid: message.get_i32(),
            secret: message.get_i32(),
        })),
        // Version 3.0. The driver asks for no other.
        0x0003_0000 => startup(&message).map(|startup| Some(First::Startup(startup))),
        version => Err(Failure::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            format!(
                "unsupported frontend protocol {}.{}: server supports 3.0",
                version >> 16,
                version & 0xffff
            ),
        )),
    }
}

/// Takes the PasswordMessage from the received bytes. None if more must come.
pub fn password(received: &mut BytesMut) -> Result<Option<String>, Failure> {
    match received.first() {
        None => return Ok(None),
        Some(b'p') => {}
        Some(_) => return Err(Failure::new(sqlstate::PROTOCOL_VIOLATION, "expected password response")),
    }
    let Some(message) = take(received, 1, LONGEST_PASSWORD)? else {
        return Ok(None);
    };
    let [text @ .., 0] = message.as_ref() else {
        return Err(malformed());
    };
    let text = std::str::from_utf8(text).map_err(|_| malformed())?;
    if text.contains('\0') {
        Err(malformed())
    } else {
        Ok(Some(text.to_owned()))
    }
}

/// Takes a message whose length begins at this offset, when all of it has been received. The result begins behind the length.
fn take(received: &mut BytesMut, offset: usize, longest: usize) -> Result<Option<BytesMut>, Failure> {
    let Some((length, _)) = received.get(offset..).and_then(|rest| rest.split_first_chunk::<4>()) else {
        return Ok(None);
    };
    let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| malformed())?;
    if !(4..=longest).contains(&length) {
        return Err(Failure::new(
            sqlstate::PROTOCOL_VIOLATION,
            "invalid length of startup packet or password",
        ));
    }
    if received.len() < offset + length {
        return Ok(None);
    }
    let mut message = received.split_to(offset + length);
    message.advance(offset + 4);
    Ok(Some(message))
}

fn startup(message: &[u8]) -> Result<Startup, Failure> {
    let [message @ .., 0] = message else {
        return Err(malformed());
    };
    let mut startup = Startup::default();
    let mut texts = message.split(|byte| *byte == 0);
    loop {
        let (Some(name), value) = (texts.next(), texts.next()) else {
            return Err(malformed());
        };
        // The last text is followed by nothing, since each ends with a null byte.
        let Some(value) = value else {
            if name.is_empty() {
                break;
            } else {
                return Err(malformed());
            }
        };
        let [name, value] = [name, value].map(|text| std::str::from_utf8(text).map_err(|_| malformed()));
        let (name, value) = (name?, value?.to_owned());
        match name.to_ascii_lowercase().as_str() {
            "user" => startup.user = value,
            "database" => startup.database = Some(value).filter(|name| !name.is_empty()),
            "client_encoding"
                if !matches!(
                    value.trim_matches(['\'', '"']).to_ascii_lowercase().as_str(),
                    "utf8" | "utf-8" | "unicode"
                ) =>
            {
                return Err(Failure::new(
                    sqlstate::FEATURE_NOT_SUPPORTED,
                    "client_encoding must be UTF8",
                ));
            }
            "client_encoding" => {}
            setting if SETTINGS.contains(&setting) => startup.settings.push((setting.to_owned(), value)),
            _ => {
                let message = format!(
                    "startup parameter \"{}\" is not supported by this gateway",
                    name.escape_default()
                );
                return Err(Failure::new(sqlstate::FEATURE_NOT_SUPPORTED, message).hint("Use SET after connecting."));
            }
        }
    }
    if startup.user.is_empty() {
        return Err(Failure::new(
            sqlstate::INVALID_AUTHORIZATION,
            "no PostgreSQL user name specified in startup packet",
        ));
    }
    Ok(startup)
}

fn malformed() -> Failure {
    Failure::new(sqlstate::PROTOCOL_VIOLATION, "invalid startup packet layout")
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_protocol::message::frontend;
    use proptest::prelude::*;
    use rstest::rstest;

    fn startup_message(parameters: &[(&str, &str)]) -> BytesMut {
        let mut bytes = BytesMut::new();
        frontend::startup_message(parameters.iter().copied(), &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_a_driver_sends() {
        let mut received = startup_message(&[
            ("user", "authenticated"),
            ("database", "app"),
            ("TimeZone", "UTC"),
            ("client_encoding", "UTF8"),
        ]);
        frontend::password_message(b"a.b.c", &mut received).unwrap();
        frontend::query("select 1", &mut received).unwrap();
        let expected = Startup {
            user: "authenticated".to_owned(),
            database: Some("app".to_owned()),
            settings: vec![("timezone".to_owned(), "UTC".to_owned())],
        };
        assert_eq!(first(&mut received), Ok(Some(First::Startup(expected))));
        assert_eq!(password(&mut received), Ok(Some("a.b.c".to_owned())));
        assert_eq!(received.first(), Some(&b'Q'));
    }

    #[rstest]
    #[case(&[("database", "app")], "28000")]
    #[case(&[("user", "a"), ("options", "-c role=postgres")], "0A000")]
    #[case(&[("user", "a"), ("replication", "database")], "0A000")]
    #[case(&[("user", "a"), ("role", "postgres")], "0A000")]
    #[case(&[("user", "a"), ("pg_session_jwt.jwk", "{}")], "0A000")]
    #[case(&[("user", "a"), ("client_encoding", "LATIN1")], "0A000")]
    fn rejected(#[case] parameters: &[(&str, &str)], #[case] code: &str) {
        assert_eq!(first(&mut startup_message(parameters)).unwrap_err().code(), code);
    }

    #[test]
    fn requests_before_the_start() {
        let mut received = BytesMut::new();
        frontend::ssl_request(&mut received);
        frontend::cancel_request(7, -8, &mut received);
        assert_eq!(first(&mut received), Ok(Some(First::Encryption)));
        assert_eq!(first(&mut received), Ok(Some(First::Cancel { pid: 7, secret: -8 })));
        assert_eq!(first(&mut received), Ok(None));
    }

    #[rstest]
    #[case(&[0, 0, 0, 3])]
    #[case(&[0x7f, 0, 0, 0])]
    #[case(&[0xff, 0xff, 0xff, 0xff])]
    #[case(&[0, 0, 0, 6, 0, 3])]
    #[case(&[0, 0, 0, 9, 0, 3, 0, 0, 1])]
    #[case(&[0, 0, 0, 8, 0, 3, 0, 2])]
    fn no_startup_packet(#[case] bytes: &[u8]) {
        assert!(first(&mut BytesMut::from(bytes)).is_err());
    }

    proptest! {
        #[test]
        fn frames_do_not_matter(cut in 0..60_usize, user in "[a-z]{1,20}", token in "[a-z.]{0,40}") {
            let mut whole = startup_message(&[("user", &user)]);
            frontend::password_message(token.as_bytes(), &mut whole).unwrap();
            let cut = cut.min(whole.len());
            let rest = whole.split_off(cut);
            let mut received = whole;
            let early = first(&mut received).unwrap();
            received.extend_from_slice(&rest);
            let start = match early {
                Some(start) => start,
                None => first(&mut received).unwrap().unwrap(),
            };
            let expected = Startup { user, ..Startup::default() };
            prop_assert_eq!(start, First::Startup(expected));
            prop_assert_eq!(password(&mut received).unwrap(), Some(token));
        }

        #[test]
        fn any_bytes_are_read_or_rejected(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut received = BytesMut::from(bytes.as_slice());
            let _ = first(&mut received);
            let _ = password(&mut received);
        }
    }
}
