//! What the sequences are played on: keys, values of the settings, tokens, functions that change the identity.

use testkit::session::now;
use testkit::signer::Signer;

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Issuer `a`, and the key that it had before or will have.
    A,
    OtherA,
    B,
    /// The key of the startup packet, and one that is never trusted.
    Proxy,
    Foreign,
}

/// When a token is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    Always,
    Now,
    /// `exp` is behind, or `nbf` ahead, by more than a leeway of a minute and less than one of five.
    JustPast,
    JustAhead,
    Past,
    Ahead,
}

/// The properties of a token. Its text is never printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// None: the text is not a token.
    pub key: Option<Key>,
    pub time: Time,
    pub jti: Option<i64>,
    pub sub: String,
}

/// One of the lists that `pg_session_jwt.providers` can have.
pub enum Providers {
    None,
    /// Key and roles of each; no roles: all.
    List(&'static [(Key, &'static [&'static str])]),
    /// A value that no session can use.
    Unusable,
}

/// The values that are drawn; a value is its index here.
pub const PROVIDERS: [Providers; 8] = [
    Providers::None,
    Providers::List(&[(Key::A, &[])]),
    Providers::List(&[(Key::B, &[])]),
    Providers::List(&[(Key::A, &[]), (Key::B, &[])]),
    Providers::List(&[(Key::A, &["authenticated"])]),
    Providers::List(&[(Key::B, &["anonymous"]), (Key::A, &["authenticated", APPLICATION])]),
    Providers::List(&[(Key::OtherA, &[]), (Key::B, &["authenticated"])]),
    Providers::Unusable,
];
pub const CLAIMS: [&str; 4] = ["", r#"{"sub":"mallory"}"#, r#"{"sub":"eve","exp":1}"#, "no JSON"];
pub const CLAIMED: [Option<&str>; 4] = [None, Some("mallory"), Some("eve"), None];
pub const FALLBACK: [&str; 2] = ["off", "on"];
pub const SCOPE: [&str; 2] = ["any", "transaction"];
pub const LEEWAY: [&str; 3] = ["0", "60", "300"];
pub const ROLES: [&str; 3] = ["none", "authenticated", "anonymous"];

/// A login that is not a superuser and may become both roles.
pub const APPLICATION: &str = "application";

impl Key {
    pub fn issuer(self) -> Option<&'static str> {
        match self {
            Key::A | Key::OtherA => Some("a"),
            Key::B => Some("b"),
            Key::Proxy | Key::Foreign => None,
        }
    }
}

/// The private keys, of one run.
pub struct Keys([Signer; 5]);

impl Keys {
    pub fn generate() -> Keys {
        Keys(std::array::from_fn(|_| Signer::ed25519()))
    }

    fn of(&self, key: Key) -> &Signer {
        let [a, other_a, b, proxy, foreign] = &self.0;
        match key {
            Key::A => a,
            Key::OtherA => other_a,
            Key::B => b,
            Key::Proxy => proxy,
            Key::Foreign => foreign,
        }
    }

    pub fn jwk(&self, key: Key) -> String {
        self.of(key).jwk("")
    }

    /// The value of `pg_session_jwt.providers`.
    pub fn providers(&self, index: usize) -> String {
        let entry = |(key, roles): &(Key, &[&str])| {
            let (issuer, jwk) = (key.issuer().unwrap(), self.jwk(*key));
            let quoted: Vec<String> = roles.iter().map(|role| format!("\"{role}\"")).collect();
            let roles = match quoted.len() {
                0 => String::new(),
                _ => format!(r#","roles":[{}]"#, quoted.join(",")),
            };
            format!(r#"{{"issuer":"{issuer}","expiry":"optional","jwks":{{"keys":[{jwk}]}}{roles}}}"#)
        };
        match &PROVIDERS[index] {
            Providers::None => String::new(),
            Providers::List(list) => format!("[{}]", list.iter().map(entry).collect::<Vec<_>>().join(",")),
            Providers::Unusable => r#"[{"issuer":"a"}]"#.to_owned(),
        }
    }

    pub fn sign(&self, token: &Token) -> String {
        let Some(key) = token.key else {
            return "no token".to_owned();
        };
        let mut claims = vec![format!(r#""sub":"{}""#, token.sub)];
        claims.extend(key.issuer().map(|issuer| format!(r#""iss":"{issuer}""#)));
        claims.extend(token.jti.map(|jti| format!(r#""jti":{jti}"#)));
        claims.extend(match token.time {
            Time::Always => None,
            Time::Now => Some(format!(r#""nbf":{},"exp":{}"#, now() - 3600, now() + 3600)),
            Time::JustPast => Some(format!(r#""exp":{}"#, now() - 150)),
            Time::JustAhead => Some(format!(r#""nbf":{}"#, now() + 150)),
            Time::Past => Some(format!(r#""exp":{}"#, now() - 3600)),
            Time::Ahead => Some(format!(r#""nbf":{}"#, now() + 3600)),
        });
        self.of(key).token("EdDSA", format!("{{{}}}", claims.join(",")))
    }
}

/// What the sequences call. `probe()` is the answer of `auth.user_id()`, or its error, which then ends no transaction.
pub const FUNCTIONS: &str = "
    create function probe() returns text language plpgsql as $$
    begin
        return coalesce(auth.user_id(), 'NULL');
    exception when others then
        return sqlstate || ' ' || sqlerrm;
    end $$;

    create function by_definer(token text, is_local boolean) returns text language plpgsql security definer as $$
    begin
        perform auth.jwt_session_init(token, is_local);
        return probe();
    end $$;

    create function swallowed(token text, is_local boolean) returns text language plpgsql as $$
    begin
        begin
            perform auth.jwt_session_init(token, is_local);
        exception when others then
            return sqlstate || ' ' || sqlerrm;
        end;
        return probe();
    end $$;

    create function undone(token text, is_local boolean) returns text language plpgsql as $$
    begin
        begin
            perform auth.jwt_session_init(token, is_local);
            raise 'undone';
        exception when others then
            null;
        end;
        return probe();
    end $$;

    create function inside(token text, is_local boolean) returns text language plpgsql
        set pg_session_jwt.jwt = '' as $$
    begin
        perform auth.jwt_session_init(token, is_local);
        return probe();
    end $$;

    create procedure committed(token text, is_local boolean) language plpgsql as $$
    begin
        perform auth.jwt_session_init(token, is_local);
        commit;
        perform 1 / 0;
    end $$;

    create function as_anonymous() returns text language plpgsql set role = 'anonymous' as $$
    begin
        return probe();
    end $$;

    create function around(name text, value text) returns text language plpgsql as $$
    declare
        before text := probe();
    begin
        perform set_config(name, value, true);
        return before || '; ' || probe();
    end $$;

    create function with_claims() returns text language plpgsql
        set request.jwt.claims = '{\"sub\":\"mallory\"}' as $$
    begin
        return probe();
    end $$;";
