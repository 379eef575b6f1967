//! The identity of the session, by the current settings.

use testkit::messages;

use super::{Answer, Model, Name, Rejected};
use crate::identity::sequences::site::{APPLICATION, CLAIMED, Key, PROVIDERS, Providers, ROLES, Time, Token};

const UNUSABLE: Rejected = Rejected("22023", messages::PROVIDERS_UNUSABLE);
const NO_KEY: Rejected = Rejected("55000", messages::NO_KEY);
const LOST: Rejected = Rejected("55000", messages::LOST_PROVIDERS);
const SIGNATURE: Rejected = Rejected("28000", messages::INVALID_SIGNATURE);

impl Model {
    /// `auth.status()`: mode, identity and user id.
    pub fn status(&mut self) -> String {
        let mode = match (self.providers(), self.has_jwk, self.value(Name::Fallback)) {
            (Providers::Unusable, ..) => "unusable",
            (Providers::List(_), ..) => "provider",
            (Providers::None, ..) if self.lost_providers => "unusable",
            (Providers::None, true, _) => "proxy",
            (Providers::None, false, 1) => "claims",
            (Providers::None, ..) => "off",
        };
        match self.user_id() {
            Ok(user_id) if user_id != "NULL" => format!("{mode} t {user_id}"),
            _ => format!("{mode} f"),
        }
    }

    /// `probe()`: an error is an answer too.
    pub fn probe(&mut self) -> String {
        self.user_id().unwrap_or_else(|rejected| rejected.to_string())
    }

    pub(super) fn user_id(&mut self) -> Answer {
        let token = self.value(Name::Jwt);
        let claims = matches!(self.providers(), Providers::None) && !self.has_jwk;
        match token {
            0 if matches!(self.providers(), Providers::Unusable) => Err(UNUSABLE),
            0 if self.has_lost() => Err(LOST),
            0 if claims && self.value(Name::Fallback) == 1 && self.counts(Name::Claims) => {
                Ok(CLAIMED[self.value(Name::Claims)].unwrap_or("NULL").to_owned())
            }
            0 => Ok("NULL".to_owned()),
            _ if !self.counts(Name::Jwt) && !self.trusted_keys().is_empty() => Ok("NULL".to_owned()),
            _ => {
                let token = self.tokens[token].clone();
                self.verify(&token, None)?;
                self.last_jti = self.last_jti.max(token.jti);
                Ok(token.sub)
            }
        }
    }

    /// With providers again the session is in the strongest mode again.
    fn has_lost(&self) -> bool {
        self.lost_providers && matches!(self.providers(), Providers::None)
    }

    fn providers(&self) -> &'static Providers {
        &PROVIDERS[self.value(Name::Providers)]
    }

    pub fn trusted_keys(&self) -> Vec<Key> {
        match self.providers() {
            Providers::List(list) => list.iter().map(|(key, _)| *key).collect(),
            Providers::None if self.has_jwk && !self.lost_providers => vec![Key::Proxy],
            Providers::None | Providers::Unusable => Vec::new(),
        }
    }

    /// Whether a token is valid now. In proxy mode its `jti` must be an integer, and greater than `after`.
    pub(super) fn verify(&self, token: &Token, after: Option<i64>) -> Result<(), Rejected> {
        let trusted = match self.providers() {
            Providers::Unusable => return Err(UNUSABLE),
            Providers::List(list) => Some(list),
            Providers::None if self.lost_providers => return Err(LOST),
            Providers::None if self.has_jwk => None,
            Providers::None => return Err(NO_KEY),
        };
        let key = token.key.ok_or(Rejected("28000", messages::INVALID_ENCODING))?;
        let roles = match trusted {
            None if key == Key::Proxy => &[][..],
            None => return Err(SIGNATURE),
            Some(list) => match list.iter().find(|(of, _)| of.issuer() == key.issuer()) {
                None => return Err(Rejected("28000", messages::UNKNOWN_ISSUER)),
                Some((of, _)) if *of != key => return Err(SIGNATURE),
                Some((_, roles)) => *roles,
            },
        };
        let is_lenient = self.value(Name::Leeway) == 2;
        match token.time {
            Time::Always | Time::Now => {}
            Time::JustPast | Time::JustAhead if is_lenient => {}
            Time::JustPast | Time::Past => return Err(Rejected("28000", messages::EXPIRED)),
            Time::JustAhead | Time::Ahead => return Err(Rejected("28000", messages::NOT_YET_VALID)),
        }
        match token.jti {
            _ if trusted.is_some() => {}
            None => return Err(Rejected("28000", messages::NO_TOKEN_ID)),
            jti if after.is_some() && jti <= after => {
                return Err(Rejected("28000", messages::TOKEN_ID_REPLAYED));
            }
            Some(_) => {}
        }
        let role = match self.value(Name::Role) {
            0 if self.superuser => "postgres",
            0 => APPLICATION,
            role => ROLES[role],
        };
        if !roles.is_empty() && !roles.contains(&role) {
            return Err(Rejected("28000", messages::ROLE));
        }
        Ok(())
    }
}
