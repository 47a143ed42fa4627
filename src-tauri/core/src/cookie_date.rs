//! The date of a cookie by the algorithm that browsers follow (RFC 6265 §5.1.1), which looks for a
//! time, a day, a month and a year in any order. Backends write these dates in more forms than a
//! parser of fixed ones knows, and a date that is not understood turns a deletion into a token.

use time::{Date, Month, OffsetDateTime, Time};

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// What was found so far.
#[derive(Default)]
struct Found {
    time: Option<[u8; 3]>,
    day: Option<u8>,
    month: Option<Month>,
    year: Option<i32>,
}

/// Reads a date; `None` if there is none, and the attribute is to be ignored.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    let mut found = Found::default();
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        found.take(token);
    }
    let year = match found.year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year @ 1601.. => year,
        _ => return None,
    };
    let [hour, minute, second] = found.time?;
    let date = Date::from_calendar_date(year, found.month?, found.day?).ok()?;
    let time = Time::from_hms(hour, minute, second).ok()?;
    Some(date.with_time(time).assume_utc())
}

impl Found {
    /// A token is the first of these that it can be and that is still missing.
    fn take(&mut self, token: &str) {
        if self.time.is_none()
            && let Some(time) = time_of(token)
        {
            self.time = Some(time);
        } else if self.day.is_none()
            && let Some(day) = number(token, 1..=2)
        {
            // A day that no month has ends the search: the whole date is invalid.
            self.day = u8::try_from(day).ok();
        } else if self.month.is_none()
            && let Some(month) = month_of(token)
        {
            self.month = Some(month);
        } else if self.year.is_none() {
            self.year = number(token, 2..=4);
        }
    }
}

fn is_delimiter(c: char) -> bool {
    matches!(c, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// `hms-time`: three fields of one or two digits, and anything that is no digit after them.
fn time_of(token: &str) -> Option<[u8; 3]> {
    let mut fields = token.splitn(3, ':');
    let (hour, minute, second) = (fields.next()?, fields.next()?, fields.next()?);
    let whole = |field: &str| {
        let is_whole = field.bytes().all(|byte| byte.is_ascii_digit());
        is_whole.then(|| number(field, 1..=2)).flatten()
    };
    let fields = [whole(hour)?, whole(minute)?, number(second, 1..=2)?];
    let [hour, minute, second] = fields.map(u8::try_from);
    Some([hour.ok()?, minute.ok()?, second.ok()?])
}

/// The month that the token begins with.
fn month_of(token: &str) -> Option<Month> {
    let name = token.get(..3)?.to_ascii_lowercase();
    let index = MONTHS.iter().position(|month| *month == name)?;
    Month::try_from(u8::try_from(index + 1).ok()?).ok()
}

/// The number that the token begins with, if it has so many digits.
fn number(token: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i32> {
    let end = token.find(|c: char| !c.is_ascii_digit());
    let text = &token[..end.unwrap_or(token.len())];
    digits.contains(&text.len()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_a_date_is_read() {
        for form in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06-Nov-1994 8:49:37 GMT",
            "Sun, 06 November 1994 08:49:37",
            "sun, 06 nov 1994 08:49:37 gmt",
            "06 Nov 1994 08:49:37.000Z",
            "1994 Nov 06 08:49:37",
            "08:49:37 06 nov 94",
            "Sun Nov 06 1994 08:49:37 GMT+0000 (Coordinated Universal Time)",
            "\"Sun, 06 Nov 1994 08:49:37 GMT\"",
        ] {
            let read = parse(form).map(OffsetDateTime::unix_timestamp);
            assert_eq!(read, Some(784_111_777), "{form}");
        }
        for (form, wanted) in [
            ("Thu, 1 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 01-Jan-70 00:00:01 UTC", Some(1)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Mon, 29 Feb 2027 00:00:00 GMT", None),
            ("Mon, 32 Jan 2027 00:00:00 GMT", None),
            ("Mon, 01 Jan 1600 00:00:00 GMT", None),
            ("Mon, 01 Jan 2027 24:00:00 GMT", None),
            ("Mon, 01 Jan 2027 00:00 GMT", None),
            ("2027-01-01T00:00:00Z", None),
            ("0", None),
            ("-1", None),
            ("", None),
        ] {
            let read = parse(form).map(OffsetDateTime::unix_timestamp);
            assert_eq!(read, wanted, "{form}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_date_or_none(text in ".{0,60}", near in "[0-9: ,a-zJFMAé-]{0,40}") {
            let _ = (parse(&text), parse(&near));
        }
    }
}
