//! How long a backend asks to be left alone. Pure: the headers come in by name, and the time
//! is the sender's. How it is obeyed is decided in [`crate::schedule`]; but a wish for more
//! than [`RETRY_AFTER_MAX`] is cut off here, where it comes in: some backends send the time
//! of day where a length of time belongs, and nobody is to wait for decades.

use std::time::{Duration, SystemTime};

use crate::schedule::RETRY_AFTER_MAX;

/// Reads `Retry-After` in seconds or as a date, `X-Retry-After`, and of an answer that is
/// `limited` (a 429) `RateLimit-Reset`, which many send with every answer. `header` gives the
/// text of a header by its name in lower case; `now` is the time by the sender's clock.
pub fn retry_after<'a>(
    limited: bool,
    now: SystemTime,
    header: impl Fn(&str) -> Option<&'a str>,
) -> Option<Duration> {
    let text = |name| header(name).map(str::trim);
    let seconds = |name| text(name)?.parse::<u64>().ok().map(Duration::from_secs);
    seconds("retry-after")
        .or_else(|| {
            let date = httpdate::parse_http_date(text("retry-after")?).ok()?;
            date.duration_since(now).ok()
        })
        .or_else(|| seconds("x-retry-after"))
        .or_else(|| seconds("ratelimit-reset").filter(|_| limited))
        .map(|wait| wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(limited: bool, headers: &[(&str, &'static str)]) -> Option<u64> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let find = |name: &str| {
            let found = headers.iter().find(|(held, _)| *held == name);
            found.map(|(_, value)| *value)
        };
        retry_after(limited, now, find).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read_and_garbage_is_not() {
        let of = |value| asked(false, &[("retry-after", value)]);
        assert_eq!(of("120"), Some(120));
        assert_eq!(of(" 0 "), Some(0));
        assert_eq!(of("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(of("Sunday, 06-Nov-94 08:50:37 GMT"), Some(60));
        assert_eq!(of("Sun Nov  6 08:50:37 1994"), Some(60));
        for far in [
            "7200",
            "18446744073709551615",
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ] {
            assert_eq!(of(far), Some(3600), "{far}");
        }
        let past = "Sun, 06 Nov 1994 08:00:00 GMT";
        for garbage in [past, "", "-1", "1.5", "soon", "99999999999999999999"] {
            assert_eq!(of(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn its_relatives_count_where_it_says_nothing() {
        let headers = [("retry-after", "soon"), ("x-retry-after", "7")];
        assert_eq!(asked(false, &headers), Some(7));
        assert_eq!(asked(true, &[("ratelimit-reset", "9")]), Some(9));
        assert_eq!(asked(false, &[("ratelimit-reset", "9")]), None);
        let a_time_instead = [("ratelimit-reset", "1800000000")];
        assert_eq!(asked(true, &a_time_instead), Some(3600));
    }
}
