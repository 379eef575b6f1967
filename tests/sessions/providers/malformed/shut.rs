//! Sessions with unusable providers, before and after these are fixed.

use postgres::Client;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{FUNCTIONS, Proxy, init, one, rejection, rejects, run, user_id, ways_to_present};

use super::values::{Malformed, values};

/// The error of every call.
pub struct Told {
    pub sqlstate: &'static str,
    pub message: &'static str,
    /// The beginning of the DETAIL.
    pub detail: &'static str,
}

/// The value is present, with its fault.
pub fn unusable(value: &Malformed) -> Told {
    Told {
        sqlstate: "22023",
        message: messages::PROVIDERS_UNUSABLE,
        detail: value.problem,
    }
}

/// PostgreSQL has dropped the value when the library was loaded.
pub const NOT_APPLIED: Told = Told {
    sqlstate: "55000",
    message: messages::PROVIDERS_NOT_APPLIED,
    detail: "It was set where it has no effect, or to an empty or malformed value.",
};

/// A command that would set such a value is rejected.
pub fn rejected(value: &Malformed) -> Told {
    Told {
        sqlstate: "22023",
        message: messages::PROVIDERS_NOT_USABLE,
        detail: value.problem,
    }
}

/// The parties whose tokens are presented to each session.
pub struct Parties {
    pub proxy: Proxy,
    pub provider: Provider,
}

impl Parties {
    pub fn new() -> Parties {
        Parties {
            proxy: Proxy::new(),
            provider: Provider::new("https://issuer.example/"),
        }
    }

    pub fn values(&self) -> Vec<Malformed> {
        values(&self.provider)
    }

    /// A usable value.
    pub fn good_value(&self) -> String {
        format!("[{}]", self.provider.entry(""))
    }

    /// A session with a valid key in its startup packet, and claims.
    pub fn try_connect(
        &self,
        server: &Server,
        database: &str,
        user: &str,
        more: &str,
    ) -> Result<Client, postgres::Error> {
        let claims = r#"-c request.jwt.claims={"sub":"mallory"}"#;
        let options = format!("{} {claims} {more}", self.proxy.options());
        server.try_connect(database, user, &options)
    }

    pub fn connect(&self, server: &Server, database: &str, user: &str, more: &str) -> Client {
        self.try_connect(server, database, user, more).unwrap()
    }

    /// Asserts that neither tokens nor claims are trusted. In each turn another call comes first, and may load the
    /// library.
    #[track_caller]
    pub fn is_shut(&self, client: &mut Client, told: &Told, turn: usize, way: &str) {
        let tokens = [self.proxy_token(), self.provider.token("mallory")];
        let mut calls: Vec<String> = FUNCTIONS.map(|function| format!("select auth.{function}()")).into();
        calls.extend(
            tokens
                .iter()
                .map(|token| format!("select auth.jwt_session_init('{token}')")),
        );
        calls.push("select definer_sees()".to_owned());
        let first = turn % calls.len();
        calls.rotate_left(first);
        for call in &calls {
            fails(client, call, told, way);
        }
        for call in tokens.iter().flat_map(|token| ways_to_present(token)) {
            fails(client, &call, told, way);
        }
        for sql in [r#"set request.jwt.claims = '{"sub":"mallory"}'"#, "discard all"] {
            run(client, sql);
            fails(client, "select auth.user_id()", told, way);
        }
        let status = "select concat_ws(' ', mode, identity, reason) from auth.status()";
        let expected = format!("unusable f {} ({}", told.message, told.detail);
        let status: String = one(client, status);
        assert!(status.starts_with(&expected), "{way}: {status}");
    }

    /// Asserts that now only the provider applies.
    #[track_caller]
    pub fn is_restored(&self, client: &mut Client, way: &str) {
        init(client, &self.provider.token("alice"));
        assert_eq!(user_id(client).as_deref(), Some("alice"), "{way}");
        let mode: String = one(client, "select mode from auth.status()");
        assert_eq!(mode, "provider", "{way}");
        let of_proxy = format!("select auth.jwt_session_init('{}')", self.proxy_token());
        rejects(client, &of_proxy, "28000", messages::UNKNOWN_ISSUER);
    }

    pub fn proxy_token(&self) -> String {
        self.proxy.token_with_jti(1, r#""sub":"mallory""#)
    }
}

#[track_caller]
pub fn fails(client: &mut Client, sql: &str, told: &Told, way: &str) {
    let rejection = rejection(client, sql);
    let Told {
        sqlstate,
        message,
        detail,
    } = told;
    assert_eq!(
        (rejection.sqlstate.as_str(), rejection.message.as_str()),
        (*sqlstate, *message),
        "{way}"
    );
    let said = rejection.detail.unwrap_or_default();
    assert!(said.starts_with(detail), "{way}: {said} instead of {detail}");
}
