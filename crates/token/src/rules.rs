//! The rules for a token, in the order in which they are checked.
//!
//! There is one walk through them for each mode. A verification ends it at the first rule that fails. An examination
//! ([`examine`](crate::examine)) continues as far as the rules do not need what has failed. Both have the same outcome:
//! the first failure.

use crate::claims::Claims;
use crate::compact::Compact;
use crate::error::Error;
use crate::identity::Identity;
use crate::key_set::KeySet;
use crate::provider::Provider;
use crate::rule::Rule;
use crate::rule_detail::{date, detail, header_detail, key_detail, quoted, size};
use crate::validity::Validity;
use crate::{Verified, selection};

/// Who walks through the rules.
pub(crate) trait Observer {
    /// A rule is met. `detail` describes what met it.
    fn passed(&mut self, rule: Rule, detail: impl FnOnce() -> String);

    /// A rule is not met. Whether the walk continues.
    fn failed(&mut self, rule: Rule, error: &Error) -> bool;
}

/// A verification: the walk ends at the first rule that is not met.
pub(crate) struct Verification;

impl Observer for Verification {
    fn passed(&mut self, _rule: Rule, _detail: impl FnOnce() -> String) {}

    fn failed(&mut self, _rule: Rule, _error: &Error) -> bool {
        false
    }
}

/// A walk, and the first failure in it.
struct Walk<'o, O> {
    observer: &'o mut O,
    failure: Option<Error>,
}

impl<O: Observer> Walk<'_, O> {
    /// A rule whose value the later rules need: without it the walk ends.
    fn value<T>(
        &mut self,
        rule: Rule,
        result: Result<T, Error>,
        detail: impl FnOnce(&T) -> String,
    ) -> Result<T, Error> {
        match result {
            Ok(value) => {
                self.observer.passed(rule, || detail(&value));
                Ok(value)
            }
            Err(error) => {
                self.observer.failed(rule, &error);
                Err(self.failure.take().unwrap_or(error))
            }
        }
    }

    /// A rule that the later ones do not need.
    fn rule(&mut self, rule: Rule, result: Result<(), Error>, detail: impl FnOnce() -> String) -> Result<(), Error> {
        match result {
            Ok(()) => self.observer.passed(rule, detail),
            Err(error) => {
                let continues = self.observer.failed(rule, &error);
                let first = self.failure.get_or_insert(error);
                if !continues {
                    return Err(first.clone());
                }
            }
        }
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        self.failure.map_or(Ok(()), Err)
    }
}

/// Walks through the rules of proxy mode.
pub(crate) fn of_proxy(
    token: &[u8],
    keys: &KeySet,
    validity: &Validity,
    observer: &mut impl Observer,
) -> Result<Identity, Error> {
    let mut walk = Walk {
        observer,
        failure: None,
    };
    let token = walk.value(Rule::Form, Compact::parse(token), |_| size(token))?;
    let header = walk.value(Rule::Header, token.header(), header_detail)?;
    let key = keys.select(header.kid.as_deref(), header.algorithm);
    let key = walk.value(Rule::Key, key, |key| key_detail(key))?;
    walk.rule(Rule::Signature, key.verify(&token, header.algorithm), String::new)?;
    let payload = token.payload();
    let claims = payload.as_deref().map_err(Error::clone).and_then(Claims::parse);
    let claims = walk.value(Rule::Payload, claims, |_| String::new())?;
    walk_dates(&mut walk, &claims, validity)?;
    walk.rule(Rule::TokenId, validity.check_token_id(&claims), || {
        claims
            .integer_jti()
            .map_or_else(String::new, |jti| format!("jti={jti}"))
    })?;
    walk.end()?;
    let payload = payload.as_deref().unwrap_or_default();
    Ok(Identity::new(payload, &claims, header.kid, "sub"))
}

/// Walks through the rules for the token of a provider. The payload is read before the signature is verified, because it
/// names the provider.
pub(crate) fn of_provider<'a>(
    token: &[u8],
    providers: &[Provider],
    keys_of: impl Fn(usize) -> Result<&'a KeySet, Error>,
    validity: &Validity,
    observer: &mut impl Observer,
) -> Result<Verified, Error> {
    let mut walk = Walk {
        observer,
        failure: None,
    };
    let token = walk.value(Rule::Form, Compact::parse(token), |_| size(token))?;
    let header = walk.value(Rule::Header, token.header(), header_detail)?;
    let payload = token.payload();
    let claims = payload.as_deref().map_err(Error::clone).and_then(Claims::parse);
    let mut claims = walk.value(Rule::Payload, claims, |_| String::new())?;
    let selected = selection::select(providers, keys_of, &header, &claims);
    let selected = walk.value(Rule::Provider, selected, |selected| {
        let iss = claims.text("iss").map_or_else(String::new, |iss| quoted("iss", iss));
        format!("provider {}{iss}", selected.index.saturating_add(1))
    })?;
    let provider = providers.get(selected.index).ok_or(Error::NoKeys)?;
    let validity = &provider.validity(validity);
    match selected.key {
        Ok(key) => {
            walk.observer.passed(Rule::Key, || key_detail(key));
            walk.rule(Rule::Signature, key.verify(&token, header.algorithm), String::new)?;
        }
        Err(error) => walk.rule(Rule::Key, Err(error), String::new)?,
    }
    for (rule, check) in Provider::RULES {
        walk.rule(rule, check(provider, &header, &claims), || {
            detail(rule, &header, &claims)
        })?;
    }
    walk_dates(&mut walk, &claims, validity)?;
    walk.rule(Rule::Expiry, provider.check_has_expiry(&claims), String::new)?;
    walk.rule(Rule::MaxAge, provider.check_age(&claims, validity), || {
        date("iat", claims.issued_at, validity)
    })?;
    walk.end()?;
    claims.expires = provider.end(&claims);
    let payload = payload.as_deref().unwrap_or_default();
    Ok(Verified {
        identity: Identity::new(payload, &claims, header.kid, &provider.user_id_claim),
        provider: selected.index,
    })
}

fn walk_dates<O: Observer>(walk: &mut Walk<'_, O>, claims: &Claims, validity: &Validity) -> Result<(), Error> {
    walk.rule(Rule::NotBefore, validity.check_not_before(claims), || {
        date("nbf", claims.not_before, validity)
    })?;
    walk.rule(Rule::Expires, validity.check_expires(claims), || {
        date("exp", claims.expires, validity)
    })
}
