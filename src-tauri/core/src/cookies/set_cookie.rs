//! Reads a `Set-Cookie` line.

use cookie_store::{Cookie, RawCookie};
use time::{Duration, OffsetDateTime};
use url::Url;

use crate::cookie_date;
use crate::profile::is_loopback;

/// Parses a `Set-Cookie` line; `None` if it is to be ignored. `now` is the time by the sender's clock, which
/// has written an `Expires`: the cookie has it by the clock of this computer, as `Max-Age` is counted.
pub(super) fn parse(line: &str, from: &Url, now: OffsetDateTime) -> Option<Cookie<'static>> {
    let mut raw = RawCookie::parse(line.to_owned()).ok()?;
    let attributes = |name: &'static str| {
        let all = line.split(';').skip(1).map(|attribute| {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            (name.trim(), value.trim())
        });
        all.filter(move |(held, _)| held.eq_ignore_ascii_case(name))
    };
    // An attribute that cannot be read is ignored, and of several the last counts (§5.2, §5.3).
    match attributes("expires")
        .filter_map(|(_, date)| cookie_date::parse(date))
        .last()
    {
        Some(end) => {
            let ahead = OffsetDateTime::now_utc() - now;
            raw.set_expires(end.checked_add(ahead).unwrap_or(end));
        }
        None => raw.unset_expires(),
    }
    // The parser takes `Max-Age=` for a life without end.
    raw.set_max_age(
        attributes("max-age")
            .filter_map(|(_, seconds)| age(seconds))
            .last(),
    );
    Cookie::try_from_raw_cookie(&raw, from).ok()
}

/// The value of `Max-Age` (RFC 6265 §5.2.2): whole seconds, of which a negative number is none.
fn age(text: &str) -> Option<Duration> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse().unwrap_or(i64::MAX);
    Some(Duration::seconds(if digits == text { seconds } else { 0 }))
}

/// The address as `Secure` cookies see it: what reaches this machine alone is trustworthy without
/// TLS, `app.localhost` as much as `localhost` (Secure Contexts §3.1). `cookie_store` knows the
/// latter only.
pub(super) fn as_trusted(url: &Url) -> Url {
    let mut url = url.clone();
    if url.host().is_some_and(|host| is_loopback(&host)) {
        // From one scheme of the web to another, which is always possible.
        let _ = url.set_scheme("https");
    }
    url
}

/// How many bytes of a cookie are sent.
pub(super) fn size(cookie: &Cookie<'_>) -> usize {
    cookie.name().len() + cookie.value().len()
}

/// Whether a `Set-Cookie` line has an empty value (`name=;…` or `name;…`). Such a line
/// deletes the cookie, also where its expiry lies in the future.
pub(super) fn is_emptied(line: &str) -> bool {
    let pair = line.split(';').next().unwrap_or_default();
    pair.split_once('=')
        .is_none_or(|(_, value)| value.trim().trim_matches('"').is_empty())
}
