//! Key sets that are fetched again: for which rejections of a token, and how often.

use crate::algorithm::HMAC;
use crate::compact::Compact;
use crate::error::Error;

/// What a fetch of key sets could change about a rejection, in the order of what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// Nothing: the token is rejected with any keys.
    None,
    /// A set that has never been fetched may have the key.
    FirstFetch,
    /// The provider may also have changed a set that was fetched: its keys no longer fit the token.
    Refetch,
}

/// What a fetch could change about the rejection of this token. This is the only place that decides it.
///
/// A public set has no symmetric key, so it cannot help a token with an HMAC. Nor can it help `"alg": "none"`, which is
/// rejected before any key is selected.
pub fn remedy(token: &[u8], rejection: &Error) -> Remedy {
    let header = Compact::parse(token).and_then(|token| token.header());
    if header.is_ok_and(|header| HMAC.iter().any(|(hmac, _)| *hmac == header.algorithm)) {
        return Remedy::None;
    }
    match rejection {
        Error::NoKeys
        | Error::UnknownKeyId { .. }
        | Error::AmbiguousKey { .. }
        | Error::AlgorithmMismatch { .. }
        | Error::Signature => Remedy::Refetch,
        // Another provider of the same issuer may accept the token.
        Error::AmbiguousProvider { .. }
        | Error::Audience { .. }
        | Error::AudienceType { .. }
        | Error::TokenType { .. }
        | Error::NotAccessToken { .. }
        | Error::SecurityEvent
        | Error::ClaimRule { .. }
        | Error::AlgorithmExcluded { .. }
        | Error::SenderConstrained => Remedy::FirstFetch,
        Error::TokenTooLong { .. }
        | Error::NotCompact { .. }
        | Error::Empty
        | Error::BearerScheme
        | Error::NotBase64Url { .. }
        | Error::NotJson { .. }
        | Error::HeaderMember { .. }
        | Error::UnknownAlgorithm { .. }
        | Error::Critical { .. }
        | Error::UnknownIssuer { .. }
        | Error::IssuerSlash { .. }
        | Error::NoExpiry
        | Error::NoIssueTime
        | Error::TooOld { .. }
        | Error::Expired { .. }
        | Error::NotYetValid { .. }
        | Error::ClaimDate { .. }
        | Error::TokenId
        | Error::TokenIdReplayed { .. }
        | Error::UserId { .. }
        | Error::NotEncodable
        | Error::Providers { .. }
        | Error::KeySetTooLong { .. }
        | Error::OtherDocument { .. }
        | Error::KeyNotJson { .. }
        | Error::Discovery(_)
        | Error::Key(_)
        | Error::NoUsableKey { .. }
        | Error::NotFetched { .. } => Remedy::None,
    }
}

const SECOND: i64 = 1_000_000;
/// The longest pause, and the time in which one fetch is forgotten.
const LONGEST_PAUSE: i64 = 30 * SECOND;
/// Pauses up to this one are waited for.
const WAITED_PAUSE: i64 = 2 * SECOND;
/// The number of fetches after which the pause is the longest.
const MOST_SPENT: u32 = 6;

/// How often tokens may have one key set fetched again. Any client can make up a token that asks for it.
///
/// The first fetch is due at once. After that the pause doubles from 1 s to 30 s, and each 30 s without a fetch halve it
/// again. However many tokens ask, N seconds have at most 6 + N/30 fetches. Times are microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RefetchLimit {
    last: Option<i64>,
    /// The fetches that are not forgotten yet.
    spent: u32,
}

impl RefetchLimit {
    /// Asks for a fetch, and returns when it is due: now, or after a short pause.
    ///
    /// # Errors
    /// The time of the next fetch, where the pause is longer.
    pub fn request(&mut self, now: i64) -> Result<i64, i64> {
        let pause = self.pause();
        let (due, elapsed) = match self.last {
            // A clock that was set back does not lock the provider out.
            Some(last) if last <= now.saturating_add(LONGEST_PAUSE) => {
                (last.saturating_add(pause).max(now), now.saturating_sub(last).max(0))
            }
            _ => (now, i64::MAX),
        };
        if due > now && pause > WAITED_PAUSE {
            return Err(due);
        }
        let forgotten = u32::try_from(elapsed.div_euclid(LONGEST_PAUSE)).unwrap_or(u32::MAX);
        self.spent = self.spent.saturating_sub(forgotten).saturating_add(1).min(MOST_SPENT);
        self.last = Some(due);
        Ok(due)
    }

    /// The pause after the last fetch.
    fn pause(&self) -> i64 {
        match self.spent.checked_sub(1) {
            None => 0,
            Some(doublings) => SECOND
                .saturating_mul(1_i64.checked_shl(doublings).unwrap_or(i64::MAX))
                .min(LONGEST_PAUSE),
        }
    }
}
