//! What the headers of a response say about time and form: how long it may be used, when the server may be asked again, and
//! whether the body is compressed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{AGE, CACHE_CONTROL, CONTENT_ENCODING, HeaderMap, HeaderName, RETRY_AFTER};

/// How long a set is used before it is fetched again, unless the provider specifies a time.
const USUAL_AGE: Duration = Duration::from_secs(300);
pub const LEAST_AGE: Duration = Duration::from_secs(60);
const GREATEST_AGE: Duration = Duration::from_secs(3600);

/// The longest time for which a provider may want no request, and the time where it does not say.
const LONGEST_REST: Duration = Duration::from_secs(3600);
const USUAL_REST: Duration = Duration::from_secs(30);

/// How long the response may be used (RFC 9111 §4.2), between a minute and an hour. The time for which a cache has stored it
/// has passed already.
pub fn max_age(headers: &HeaderMap) -> Duration {
    let values = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let directives: Vec<String> = values
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    if directives.iter().any(|it| it == "no-store" || it == "no-cache") {
        return LEAST_AGE;
    }
    let max_age = directives
        .iter()
        .find_map(|directive| seconds(directive.strip_prefix("max-age=")?.trim_matches('"')));
    let stored_for = text(headers, AGE).and_then(seconds).unwrap_or(0);
    max_age.map_or(USUAL_AGE, |max_age| {
        Duration::from_secs(max_age.saturating_sub(stored_for)).clamp(LEAST_AGE, GREATEST_AGE)
    })
}

/// How long a server that has answered with this status wants no request (RFC 6585 §4, RFC 9110 §10.2.3); None where it says
/// nothing about that.
pub fn retry_after(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let after = text(headers, RETRY_AFTER).and_then(|value| seconds(value).or_else(|| seconds_until(value)));
    match (status, after) {
        (429 | 503, Some(after)) if after > 0 => Some(Duration::from_secs(after).min(LONGEST_REST)),
        (429, None) => Some(USUAL_REST),
        _ => None,
    }
}

/// The coding of a compressed body.
pub fn compression(headers: &HeaderMap) -> Option<&str> {
    let codings = headers.get_all(CONTENT_ENCODING).iter();
    codings
        .map(|coding| coding.to_str().unwrap_or("unknown"))
        .find(|coding| !coding.trim().is_empty() && !coding.trim().eq_ignore_ascii_case("identity"))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A number of seconds. One that is too large counts as the largest (RFC 9111 §1.2.2).
fn seconds(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// The seconds until a date such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7); 0 if it has passed.
fn seconds_until(date: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let (_, date) = date.split_once(", ")?;
    let [day, month, year, time, "GMT"] = *date.split(' ').collect::<Vec<_>>() else {
        return None;
    };
    let [hour, minute, second] = *time.split(':').collect::<Vec<_>>() else {
        return None;
    };
    let number = |digits: &str| seconds(digits).filter(|number| *number <= 9999);
    let month = MONTHS.find(month).filter(|at| month.len() == 3 && at % 3 == 0)? / 3;
    let days = days_before(number(year)?, u64::try_from(month).ok()?)? + number(day)?.checked_sub(1)?;
    let at = ((days * 24 + number(hour)?) * 60 + number(minute)?) * 60 + number(second)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(at.saturating_sub(now))
}

/// The days from 1970 to the first day of a month, counted from 0.
fn days_before(year: u64, month: u64) -> Option<u64> {
    const DAYS: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let years = year.checked_sub(1970)?;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let leap_days = |before: u64| before / 4 - before / 100 + before / 400;
    let leaps = leap_days(year - 1) - leap_days(1969) + u64::from(is_leap && month > 1);
    Some(years * 365 + leaps + DAYS.get(usize::try_from(month).ok()?)?)
}
