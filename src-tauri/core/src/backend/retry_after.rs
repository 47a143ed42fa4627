//! Reads how long a server asks to wait before the next request: for the backend, for the server
//! that reports go to, and for the doctor. [`crate::schedule`] decides how the wait is obeyed.
//!
//! A wait of more than [`RETRY_AFTER_MAX`] is cut to that here: a server may name a moment of next year.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap};

use crate::header_text;
use crate::moment;
use crate::schedule::RETRY_AFTER_MAX;

/// When a limit begins anew, in the header of an answer that may have hit none.
const RESETS: [&str; 3] = ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"];

/// Reads `Retry-After`; then `X-Retry-After`; then, only if the answer is `limited` (a 429),
/// `RateLimit-Reset` and its older names, which many servers send with every answer. Each may be a number
/// of seconds, whole or not, or a moment: as a date, or counted since 1970. `header` gives the text of a
/// header by its name in lower case; `now` is the time by the sender's clock.
pub fn retry_after<T: AsRef<str>>(
    limited: bool,
    now: SystemTime,
    header: impl Fn(&str) -> Option<T>,
) -> Option<Duration> {
    let wait = |name: &str| wait(header(name)?.as_ref().trim(), now);
    let reset = || RESETS.into_iter().find_map(wait).filter(|_| limited);
    wait("retry-after")
        .or_else(|| wait("x-retry-after"))
        .or_else(reset)
        .map(|wait| wait.min(RETRY_AFTER_MAX))
}

/// Reads the wait from the headers of an answer. A date in them is compared with their own `Date`.
pub fn retry_after_of(limited: bool, headers: &HeaderMap) -> Option<Duration> {
    let header = |name: &str| headers.get(name).map(header_text::text);
    retry_after(limited, sent_at(headers), header)
}

/// When an answer with these headers was sent: by the sender's clock, or by the clock of this
/// computer if there is no `Date`.
pub(super) fn sent_at(headers: &HeaderMap) -> SystemTime {
    said_at(headers).unwrap_or_else(SystemTime::now)
}

/// When an answer with these headers was sent, by its `Date`.
pub fn said_at(headers: &HeaderMap) -> Option<SystemTime> {
    let date = header_text::text(headers.get(DATE)?);
    moment::parse(&date).map(SystemTime::from)
}

/// How long a text asks to wait; `None` if it asks nothing, or for a moment that has passed.
fn wait(text: &str, now: SystemTime) -> Option<Duration> {
    let at = match number(text) {
        Some(number) => match moment::counted_ms(number) {
            Some(ms) => UNIX_EPOCH + Duration::from_millis(ms as u64),
            None => {
                let seconds = number.min(RETRY_AFTER_MAX.as_secs_f64());
                return Some(Duration::from_secs_f64(seconds));
            }
        },
        None => moment::parse(text)?.into(),
    };
    at.duration_since(now).ok()
}

/// A number in digits, with or without a fraction. RFC 9110 §10.2.3 has no fraction, but servers that
/// compute the number send one. It may have any number of digits.
fn number(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    // Digits alone: so it is not negative and not NaN, and infinite only by its length.
    text.parse().ok()
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
        assert_eq!(of("Sun, 6 Nov 1994 09:50:37 +0100"), seconds(60));
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
        for name in ["x-ratelimit-reset", "x-rate-limit-reset"] {
            assert_eq!(asked(true, &[(name, "9")]), seconds(9), "{name}");
            assert_eq!(asked(false, &[(name, "9")]), None, "{name}");
        }
    }

    #[test]
    fn a_moment_is_waited_for_however_it_is_counted() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_411_840);
        for name in [
            "retry-after",
            "x-retry-after",
            "ratelimit-reset",
            "x-ratelimit-reset",
        ] {
            let of = |value: &'static str| {
                retry_after(true, now, |asked| (asked == name).then_some(value))
            };
            for (value, wanted) in [
                ("1795411900", Some(Duration::from_secs(60))),
                ("1795411900.5", Some(Duration::from_millis(60_500))),
                ("1795411900500", Some(Duration::from_millis(60_500))),
                ("1795511900", Some(RETRY_AFTER_MAX)),
                ("1795411840", Some(Duration::ZERO)),
                ("1795411839", None),
                ("2026-11-23T05:31:40Z", Some(Duration::from_secs(60))),
            ] {
                assert_eq!(of(value), wanted, "{name}: {value}");
            }
        }
    }

    #[test]
    fn a_date_is_compared_with_the_senders_in_each_form() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "S\u{f8}n, 06 Nov 1994 08:49:37 GMT",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, date.parse().expect("a header"));
            let at = "Sun, 06 Nov 1994 08:50:37 GMT";
            headers.insert("retry-after", at.parse().expect("a header"));
            assert_eq!(retry_after_of(false, &headers), seconds(60), "{date}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_says_nobody_waits_longer_than_an_hour(text in "\\PC*|[0-9.]{1,400}") {
            let asked = asked(true, &[("retry-after", &text)]);
            prop_assert!(asked.is_none_or(|wait| wait <= RETRY_AFTER_MAX));
        }
    }
}
