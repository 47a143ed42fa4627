//! The wall clock in the formats that the database and the answers use. Always UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch.
pub(crate) type Millis = i64;

/// Now, in milliseconds since the epoch.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A duration in milliseconds; one that is too long becomes the largest value.
pub(crate) fn millis(duration: Duration) -> Millis {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

/// Whole seconds until `then`, rounded up and at least one: what `Retry-After` says.
pub(crate) fn seconds_until(then: Millis, now: Millis) -> u64 {
    let left = then.saturating_sub(now).max(1);
    u64::try_from((left + 999) / 1000).unwrap_or(1)
}

/// `2026-01-31T23:59:59.123Z`, in UTC, for any year from 0 to 9999.
pub(crate) fn iso8601(at: Millis) -> String {
    let days = at.div_euclid(86_400_000);
    let of_day = at.rem_euclid(86_400_000);
    let (year, month, day) = civil(days);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, milli) = (of_day / 1000 % 60, of_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, as the `Date` header wants it.
pub(crate) fn http_date(at: Millis) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = at.div_euclid(86_400_000);
    let (year, month, day) = civil(days);
    // The epoch was a Thursday. Both remainders are within the bounds of the arrays.
    let name = DAYS[usize::try_from(days.rem_euclid(7)).unwrap_or(0)];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or(0) % 12];
    let time = &iso8601(at.rem_euclid(86_400_000))[11..19];
    format!("{name}, {day:02} {month} {year:04} {time} GMT")
}

/// Days since the epoch to a date, by counting 400-year eras that start in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_known_moments() {
        assert_eq!(iso8601(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso8601(951_782_400_123), "2000-02-29T00:00:00.123Z");
        assert_eq!(iso8601(1_767_225_599_999), "2025-12-31T23:59:59.999Z");
        assert_eq!(iso8601(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn waiting_time_is_never_zero() {
        assert_eq!(seconds_until(5, 10), 1);
        assert_eq!(seconds_until(1001, 0), 2);
        assert_eq!(seconds_until(1000, 0), 1);
    }
}
