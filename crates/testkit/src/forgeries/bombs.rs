//! Tokens that are too deep, too long or too large to be read.

use super::{HEADER, Victim};

impl Victim<'_> {
    /// Tokens with a signature of the provider, each of which is rejected with SQLSTATE 28000.
    pub fn bombs(&self) -> Vec<String> {
        let nested = |open: &str, close: &str, depth: usize| {
            self.token_with(&format!(r#""x":{}1{}"#, open.repeat(depth), close.repeat(depth)))
        };
        let number = |digits: &str| self.token_with(&format!(r#""x":{digits}"#));
        let dated = |members: &str| {
            let members = format!(r#""sub":"{}",{members}"#, self.user);
            self.signed(HEADER, self.payload_of(&members))
        };
        vec![
            nested("[", "]", 64),
            nested("[", "]", 20_000),
            nested(r#"{"a":"#, "}", 8_000),
            self.signed(HEADER, "[".repeat(40_000)),
            self.signed(
                &format!(r#"{{"alg":"EdDSA","kid":"k1","x":{}}}"#, "[".repeat(40_000)),
                "{}",
            ),
            number("1e400"),
            number("1e400000"),
            number("1e-400000"),
            number("1e1000000000"),
            number("-1E+999999999999999999999"),
            number(&"9".repeat(5_000)),
            number(&format!("0.{}", "1".repeat(5_000))),
            self.token_with(r#""x":1,"x":2"#),
            self.token_with(r#""exp":1e400"#),
            self.token_with("\"x\":\"\u{0}\""),
            dated(r#""exp":"4000000000""#),
            dated(r#""exp":9223372036854775808"#),
            dated(r#""exp":1e308"#),
            dated(r#""nbf":-0.5"#),
            dated(r#""iat":[]"#),
        ]
    }

    /// The longest kind of token that is accepted: one of the attacker, with thousands of members up to `m3799`.
    pub fn with_many_members(&self) -> String {
        let members: Vec<String> = (0..3_800).map(|i| format!(r#""m{i}":{i}"#)).collect();
        let token = self.token_with(&format!(r#""sub":"{}","o":{{}},{}"#, self.attacker, members.join(",")));
        assert!(token.len() > 50_000 && token.len() <= 65_536, "{}", token.len());
        token
    }
}
