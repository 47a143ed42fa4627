//! Reads how long a server asks to wait before the next request: for the backend, for the server
//! that reports go to, and for the doctor. [`crate::schedule`] decides how the wait is obeyed.
//!
//! A wait of more than [`RETRY_AFTER_MAX`] is cut to that here. Some servers send the time of day
//! where a number of seconds belongs, and the app would wait for decades.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap};

use crate::schedule::RETRY_AFTER_MAX;

/// Reads `Retry-After`, in seconds (whole or not) or as a date; then `X-Retry-After`; then, only
/// if the answer is `limited` (a 429), `RateLimit-Reset`, which many servers send with every
/// answer. `header` gives the text of a header by its name in lower case; `now` is the time by the
/// sender's clock.
pub fn retry_after<'a>(
    limited: bool,
    now: SystemTime,
    header: impl Fn(&str) -> Option<&'a str>,
) -> Option<Duration> {
    let text = |name| header(name).map(str::trim);
    let seconds = |name| seconds(text(name)?);
    seconds("retry-after")
        .or_else(|| {
            let date = httpdate::parse_http_date(text("retry-after")?).ok()?;
            date.duration_since(now).ok()
        })
        .or_else(|| seconds("x-retry-after"))
        .or_else(|| seconds("ratelimit-reset").filter(|_| limited))
        .map(|wait| wait.min(RETRY_AFTER_MAX))
}

/// Reads the wait from the headers of an answer. A date in them is compared with their own `Date`.
pub fn retry_after_of(limited: bool, headers: &HeaderMap) -> Option<Duration> {
    retry_after(limited, sent_at(headers), |name| {
        headers.get(name)?.to_str().ok()
    })
}

/// When an answer with these headers was sent: by the sender's clock, or by the clock of this
/// computer if there is no `Date`.
pub(super) fn sent_at(headers: &HeaderMap) -> SystemTime {
    headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or_else(SystemTime::now)
}

/// A number of seconds in digits, with or without a fraction. RFC 9110 §10.2.3 has no fraction,
/// but servers that compute the number send one. The number may have any number of digits: what
/// is longer than [`RETRY_AFTER_MAX`] is cut to that.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    // Digits alone: so it is not negative and not NaN, and infinite only by its length.
    let seconds: f64 = text.parse().ok()?;
    Some(Duration::from_secs_f64(
        seconds.min(RETRY_AFTER_MAX.as_secs_f64()),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(limited: bool, headers: &[(&str, &str)]) -> Option<Duration> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let find = |name: &str| {
            let found = headers.iter().find(|(held, _)| *held == name);
            found.map(|(_, value)| *value)
        };
        retry_after(limited, now, find)
    }

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn seconds_and_dates_are_read_and_garbage_is_not() {
        let of = |value| asked(false, &[("retry-after", value)]);
        assert_eq!(of("120"), seconds(120));
        assert_eq!(of(" 0 "), seconds(0));
        assert_eq!(of("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(of("0.25"), Some(Duration::from_millis(250)));
        assert_eq!(of("Sun, 06 Nov 1994 08:50:37 GMT"), seconds(60));
        assert_eq!(of("Sunday, 06-Nov-94 08:50:37 GMT"), seconds(60));
        assert_eq!(of("Sun Nov  6 08:50:37 1994"), seconds(60));
        let endless = "9".repeat(400);
        for far in [
            "7200",
            "7200.5",
            "18446744073709551615",
            "99999999999999999999",
            &endless,
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ] {
            assert_eq!(of(far), seconds(3600), "{far}");
        }
        let past = "Sun, 06 Nov 1994 08:00:00 GMT";
        let garbage = [
            past, "", "-1", "+1", "1e3", "inf", "NaN", "1.", ".5", "1.5.2", "1,5", "soon",
        ];
        for garbage in garbage {
            assert_eq!(of(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn its_relatives_count_where_it_says_nothing() {
        let headers = [("retry-after", "soon"), ("x-retry-after", "7")];
        assert_eq!(asked(false, &headers), seconds(7));
        assert_eq!(asked(true, &[("ratelimit-reset", "9")]), seconds(9));
        let fraction = [("ratelimit-reset", "9.5")];
        assert_eq!(asked(true, &fraction), Some(Duration::from_millis(9500)));
        assert_eq!(asked(false, &[("ratelimit-reset", "9")]), None);
        let a_time_instead = [("ratelimit-reset", "1800000000")];
        assert_eq!(asked(true, &a_time_instead), seconds(3600));
    }

    proptest! {
        #[test]
        fn whatever_it_says_nobody_waits_longer_than_an_hour(text in "\\PC*|[0-9.]{1,400}") {
            let asked = asked(true, &[("retry-after", &text)]);
            prop_assert!(asked.is_none_or(|wait| wait <= RETRY_AFTER_MAX));
        }
    }
}
