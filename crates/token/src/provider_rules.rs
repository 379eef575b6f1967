//! The rules of a provider for its tokens.

use crate::claims::Claims;
use crate::compact::Header;
use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::json::Json;
use crate::provider::Provider;
use crate::rule::Rule;
use crate::time::NumericDate;
use crate::token_type::TokenTypes;
use crate::validity::Validity;

/// The check of a rule of the provider.
pub(crate) type ProviderRule = fn(&Provider, &Header, &Claims) -> Result<(), Error>;

impl Provider {
    /// The rules of a provider for its tokens, in their order: algorithm, type, audience and other claims.
    pub(crate) const RULES: [(Rule, ProviderRule); 5] = [
        (Rule::Algorithms, |provider, header, _| provider.check_algorithm(header)),
        (Rule::TokenTypes, Provider::check_type),
        (Rule::Audience, |provider, _, claims| provider.check_audience(claims)),
        (Rule::Claims, |provider, _, claims| {
            provider.claims.iter().try_for_each(|rule| rule.check(claims))
        }),
        (Rule::SenderConstrained, |provider, _, claims| {
            if claims.get("cnf").is_some() && !provider.accepts_sender_constrained {
                return Err(Error::SenderConstrained);
            }
            Ok(())
        }),
    ];

    /// Checks [`Self::RULES`].
    ///
    /// # Errors
    /// [`Error::AlgorithmExcluded`], [`Error::TokenType`], [`Error::NotAccessToken`], [`Error::SecurityEvent`],
    /// [`Error::Audience`], [`Error::AudienceType`], [`Error::ClaimRule`], [`Error::SenderConstrained`].
    pub(crate) fn check(&self, header: &Header, claims: &Claims) -> Result<(), Error> {
        Provider::RULES
            .iter()
            .try_for_each(|(_, check)| check(self, header, claims))
    }

    fn check_algorithm(&self, header: &Header) -> Result<(), Error> {
        if !self.algorithms.is_empty() && !self.algorithms.contains(&header.algorithm) {
            return Err(Error::AlgorithmExcluded { alg: header.algorithm });
        }
        Ok(())
    }

    fn check_type(&self, header: &Header, claims: &Claims) -> Result<(), Error> {
        self.token_types.check(header.typ.as_deref())?;
        // Not each issuer gives them a type (OpenID Connect Back-Channel Logout 1.0 §2.4).
        if claims.get("events").is_some() && !matches!(self.token_types, TokenTypes::Only(_)) {
            return Err(Error::SecurityEvent);
        }
        Ok(())
    }

    /// The rules of validity for its tokens.
    pub(crate) fn validity(&self, general: &Validity) -> Validity {
        Validity {
            leeway: self.leeway.unwrap_or(general.leeway),
            ..*general
        }
    }

    /// Checks that there is `exp`.
    ///
    /// # Errors
    /// [`Error::NoExpiry`].
    pub(crate) fn check_has_expiry(&self, claims: &Claims) -> Result<(), Error> {
        if self.requires_expiry && claims.expires.is_none() {
            return Err(Error::NoExpiry);
        }
        Ok(())
    }

    /// Checks `max_age`: at `iat` plus `max_age` plus the leeway a token is too old.
    ///
    /// # Errors
    /// [`Error::NoIssueTime`], [`Error::TooOld`].
    pub(crate) fn check_age(&self, claims: &Claims, validity: &Validity) -> Result<(), Error> {
        let Some(max_age) = self.max_age else {
            return Ok(());
        };
        let iat = claims.issued_at.ok_or(Error::NoIssueTime)?;
        let Validity { now, leeway, .. } = *validity;
        if now >= iat.plus_seconds(max_age).plus_seconds(leeway) {
            return Err(Error::TooOld {
                iat,
                now,
                max_age,
                leeway,
            });
        }
        Ok(())
    }

    /// When the identity of a token ends: at `exp`, or earlier by `max_age`.
    pub fn end(&self, claims: &Claims) -> Option<NumericDate> {
        let by_age = self
            .max_age
            .and_then(|max_age| claims.issued_at.map(|iat| iat.plus_seconds(max_age)));
        claims.expires.into_iter().chain(by_age).min()
    }

    /// Checks that `aud` contains an audience of this provider. It is a string, or an array of strings (RFC 7519 §4.1.3).
    fn check_audience(&self, claims: &Claims) -> Result<(), Error> {
        if self.audience.is_empty() {
            return Ok(());
        }
        let audiences: Vec<&str> = match claims.get("aud") {
            None => return Err(Error::Audience { aud: None }),
            Some(Json::Array(list)) => list.iter().map(Json::as_str).collect::<Option<_>>(),
            Some(aud) => aud.as_str().map(|aud| vec![aud]),
        }
        .ok_or_else(|| Error::AudienceType {
            is_array: matches!(claims.get("aud"), Some(Json::Array(_))),
        })?;
        if audiences
            .iter()
            .any(|aud| self.audience.iter().any(|wanted| wanted == aud))
        {
            return Ok(());
        }
        Err(Error::Audience {
            aud: Some(Excerpt::new(&audiences.join(", "))),
        })
    }
}
