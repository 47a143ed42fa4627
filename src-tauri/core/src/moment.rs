//! A moment as backends write it in a text: ISO 8601 in the forms that real ones have, and the dates of
//! HTTP, of mail and of languages, each in the zone that it names. Without a zone it is UTC, which is what
//! servers count in.

use serde_json::Value;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use crate::cookie_date;

/// The zones that have a name (RFC 5322 §4.3), in hours from UTC. Every other name is in use at several
/// places of the world.
const ZONES: [(&str, i8); 12] = [
    ("Z", 0),
    ("UT", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// The year in which the clock of Windows begins.
const EARLIEST_YEAR: i32 = 1601;

/// What an offset begins with; some write the true minus.
const SIGNS: &str = "+-\u{2212}";

/// The year 2000 in milliseconds since 1970. What is before it is no moment in the life of a session
/// but a zero: 0 itself, or year 1, which .NET and Go write.
const EARLIEST_MS: f64 = 946_684_800_000.0;
/// The end of the year 9999.
const LATEST_MS: f64 = 253_402_300_800_000.0;
/// The milliseconds in each unit that backends count in. Between [`EARLIEST_MS`] and [`LATEST_MS`] no
/// number can be meant in two of them.
const UNITS_MS: [f64; 4] = [1_000.0, 1.0, 1e-3, 1e-6];

/// A moment in milliseconds since 1970, however it is written: a text as [`parse`] reads it, or a
/// number in seconds or in a smaller unit, which may be a text too.
pub fn epoch_ms(value: &Value) -> Option<u64> {
    let ms = match value {
        Value::Number(number) => counted_ms(number.as_f64()?)?,
        Value::String(text) => match text.trim().parse() {
            Ok(number) => counted_ms(number)?,
            Err(_) => parse(text)?.unix_timestamp_nanos() as f64 / 1e6,
        },
        _ => return None,
    };
    is_likely(ms).then_some(ms as u64)
}

/// A moment in milliseconds since 1970, from its number in a unit that is to be found out; `None` if the
/// number is no moment in any of them.
pub(crate) fn counted_ms(number: f64) -> Option<f64> {
    let in_units = UNITS_MS.into_iter().map(|unit| number * unit);
    in_units.into_iter().find(|ms| is_likely(*ms))
}

fn is_likely(ms: f64) -> bool {
    (EARLIEST_MS..LATEST_MS).contains(&ms)
}

/// Reads a moment; `None` if the text is none, or one that some clock of a system cannot hold: Windows begins
/// in 1601, and the `time` crate ends with the year 9999, both by UTC.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    let moment = iso8601(text).or_else(|| in_words(text))?;
    let by_utc = moment.checked_to_offset(UtcOffset::UTC)?;
    (by_utc.year() > EARLIEST_YEAR).then_some(moment)
}

/// `2026-11-23T05:37:20.173Z` and its kin: with a space, without seconds, without a zone or with
/// `+0200`, with a fraction of any length, or the date alone; as Go writes it, and as RFC 9557 has it.
fn iso8601(text: &str) -> Option<OffsetDateTime> {
    let mut rest = Rest(text);
    let year = rest.number(4)?;
    rest.sign("-")?;
    let month = Month::try_from(u8::try_from(rest.number(2)?).ok()?).ok()?;
    rest.sign("-")?;
    let day = rest.number(2)?;
    let date = Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()?;
    if rest.0.is_empty() {
        return Some(date.midnight().assume_utc());
    }
    rest.sign("Tt ")?;
    let hour = rest.number(2)?;
    rest.sign(":")?;
    let minute = rest.number(2)?;
    let second = match rest.sign(":") {
        Some(()) => rest.number(2)?,
        None => 0,
    };
    let nanosecond = rest.fraction()?;
    let small = |number: i32| u8::try_from(number).ok();
    // A leap second is the last one of its minute, as most clocks have it.
    let second = small(second.min(59))?;
    let time = Time::from_hms_nano(small(hour)?, small(minute)?, second, nanosecond).ok()?;
    let local = date.with_time(time);
    if rest.0.is_empty() {
        return Some(local.assume_utc());
    }
    let zone = rest.zone()?;
    rest.ends_with_remarks().then(|| local.assume_offset(zone))
}

/// `Mon, 30 Nov 2026 17:00:00 +0100` and its kin: the dates that [`cookie_date`] reads, which knows no zone,
/// in the zone after their time.
fn in_words(text: &str) -> Option<OffsetDateTime> {
    let seconds = text.splitn(3, ':').nth(2)?;
    let after = seconds.trim_start_matches(|c: char| c.is_ascii_digit());
    let to_seconds = text.strip_suffix(after)?;
    let mut rest = Rest(after);
    let nanosecond = rest.fraction()?;
    let next = rest.0.trim_start();
    let has_zone = next.starts_with(|c: char| c.is_ascii_alphabetic() || SIGNS.contains(c));
    let zone = if has_zone {
        rest.zone()?
    } else {
        UtcOffset::UTC
    };
    // The year may come last, and an offset looks like one.
    let local = cookie_date::parse(&format!("{to_seconds} {}", rest.0))?;
    let local = local.replace_nanosecond(nanosecond).ok()?;
    Some(local.replace_offset(zone))
}

/// What was not read yet.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// The next digits, so many.
    fn number(&mut self, digits: usize) -> Option<i32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let all = number.bytes().all(|byte| byte.is_ascii_digit());
        self.0 = if all { rest } else { return None };
        number.parse().ok()
    }

    /// The next character, if it is one of these.
    fn sign(&mut self, any: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(|c: char| any.contains(c))?;
        Some(())
    }

    /// The fraction of a second, of however many digits, in nanoseconds; 0 where there is none.
    fn fraction(&mut self) -> Option<u32> {
        if self.sign(".,").is_none() {
            return Some(0);
        }
        let end = self.0.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
        (!digits.is_empty()).then(|| nine.parse().ok())?
    }

    /// The zone: a name, an offset, or an offset from a name, as in `GMT+0100`.
    fn zone(&mut self) -> Option<UtcOffset> {
        self.0 = self.0.trim_start();
        let end = self.0.find(|c: char| !c.is_ascii_alphabetic());
        let (name, offset) = self.0.split_at(end.unwrap_or(self.0.len()));
        let known = ZONES.iter().find(|zone| zone.0.eq_ignore_ascii_case(name));
        self.0 = offset;
        let is_west = self.0.starts_with(['-', '\u{2212}']);
        if self.sign(SIGNS).is_none() {
            return UtcOffset::from_hms(known?.1, 0, 0).ok();
        }
        if !name.is_empty() && known?.1 != 0 {
            return None;
        }
        let hours = self.number(2)?;
        let minutes =
            match self.sign(":").is_some() || self.0.starts_with(|c: char| c.is_ascii_digit()) {
                true => self.number(2)?,
                false => 0,
            };
        let minutes = hours * 60 + minutes;
        let minutes = if is_west { -minutes } else { minutes };
        UtcOffset::from_whole_seconds(minutes * 60).ok()
    }

    /// Whether the rest says nothing that the offset before it does not: its place in brackets (RFC 9557),
    /// or its name and the reading of Go's other clock (`CET m=+0.1`).
    fn ends_with_remarks(mut self) -> bool {
        while let Some(bracketed) = self.0.strip_prefix('[') {
            let Some((_, after)) = bracketed.split_once(']') else {
                return false;
            };
            self.0 = after;
        }
        let is_of_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "+-".contains(c);
        let mut words = self.0.split_whitespace();
        words.all(|word| word.starts_with("m=") || word.chars().all(is_of_name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_form_is_read() {
        for text in [
            "2001-09-09T01:46:40Z",
            "2001-09-09T01:46:40.000Z",
            "2001-09-09t01:46:40z",
            "2001-09-09T01:46:40",
            "2001-09-09 01:46:40",
            "2001-09-09T01:46:40.000000000000",
            "2001-09-09T01:46:40,0+00:00",
            "2001-09-09T03:46:40+02:00",
            "2001-09-09T03:46:40+0200",
            "2001-09-09T03:46:40+02",
            "2001-09-09 00:16:40 -0130",
            " 2001-09-09T01:46:40Z ",
            "2001-09-09 01:46:40 UTC",
            "2001-09-08 20:46:40 EST",
            "2001-09-09 01:46:40 +0000 UTC",
            "2001-09-09 03:46:40.000000000 +0200 CEST m=+0.012345678",
            "2001-09-09 03:46:40 +0200 +0200",
            "2001-09-09T03:46:40+02:00[Europe/Berlin]",
            "2001-09-09T03:46:40+02[Europe/Berlin][u-ca=gregory]",
            "2001-09-09T01:46:40Z[UTC]",
            "Sun, 09 Sep 2001 01:46:40 GMT",
            "Sun, 09 Sep 2001 01:46:40",
            "Sun, 9 Sep 2001 03:46:40 +0200 (CEST)",
            "Sun, 09 Sep 2001 03:46:40.000 +02:00",
            "Sat, 8 Sep 2001 20:46:40 EST",
            "Sat, 8 Sep 2001 18:46:40 pdt",
            "09 Sep 01 01:46:40 UT",
            "Sunday, 09-Sep-01 01:46:40 GMT",
            "Sun Sep  9 01:46:40 2001",
            "Sun Sep  9 01:46:40 UTC 2001",
            "Sun Sep 09 03:46:40 +0200 2001",
            "Sun Sep 09 2001 03:46:40 GMT+0200 (Central European Summer Time)",
        ] {
            let read = parse(text).map(OffsetDateTime::unix_timestamp);
            assert_eq!(read, Some(1_000_000_000), "{text}");
        }
        for (text, wanted) in [
            ("2001-09-09", Some(999_993_600)),
            ("2001-09-09T01:46Z", Some(999_999_960)),
            ("2016-12-31T23:59:60Z", Some(1_483_228_799)),
            ("2001-02-29T00:00:00Z", None),
            ("2001-13-01T00:00:00Z", None),
            ("2001-09-09T24:46:40Z", None),
            ("2001-09-09T01:46:40X", None),
            ("Fri, 31 Dec 9999 23:59:59 -0100", None),
            ("9999-12-31T23:59:59-12:00", None),
            ("0001-01-01T00:00:00Z", None),
            ("2001-09-09T01:46:40Z[UTC", None),
            ("2001-09-09T01:46:40Z soon", None),
            ("2001-09-09T03:46:40[Europe/Berlin]", None),
            ("2001-09-09 03:46:40 CEST", None),
            ("Sun Sep  9 03:46:40 CEST 2001", None),
            ("Sep 9, 2001 1:46:40 PM", None),
            ("Sun, 09 Sep 2001 01:46:40 EST+0200", None),
            ("Sun, 09 Sep 2001 01:46:40 +99:00", None),
            ("2001-09-09T01:46:40.Z", None),
            ("2001-09-09T01:46:40+2", None),
            ("+001-09-09", None),
            ("1000000000", None),
            ("", None),
        ] {
            let read = parse(text).map(OffsetDateTime::unix_timestamp);
            assert_eq!(read, wanted, "{text}");
        }
        let exact = parse("2001-09-09T01:46:40.25Z").map(OffsetDateTime::millisecond);
        assert_eq!(exact, Some(250));
    }

    #[test]
    fn a_moment_may_be_counted_in_any_unit() {
        use serde_json::json;
        let exact = Some(1_795_411_840_500);
        for value in [
            json!(1_795_411_840.5),
            json!(1_795_411_840_500_u64),
            json!(1_795_411_840_500_000_u64),
            json!(1_795_411_840_500_000_000_u64),
            json!(" 1795411840.5 "),
            json!("1795411840500"),
            json!("2026-11-23T05:30:40.500Z"),
            json!("2026-11-23 05:30:40.5"),
            json!("2026-11-23T06:30:40.5+01:00"),
        ] {
            let read = epoch_ms(&value).map(|ms| ms / 10);
            assert_eq!(read, exact.map(|ms| ms / 10), "{value}");
        }
        for value in [
            json!(null),
            json!(0),
            json!(-1),
            json!(1e300),
            json!("0001-01-01T00:00:00Z"),
            json!("9999999999999999999999"),
            json!("inf"),
            json!("NaN"),
            json!("soon"),
            json!(""),
            json!(true),
            json!({}),
        ] {
            assert_eq!(epoch_ms(&value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_moment_or_none(
            text in ".{0,40}", near in "[0-9TZ:+. ,é\\[\\]-]{0,32}",
            words in "(Mon, )?[0-9]{1,2} Nov 20[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}[ A-Z+.,:0-9\u{2212}-]{0,12}",
        ) {
            for read in [parse(&text), parse(&near), parse(&words)].into_iter().flatten() {
                let _ = OffsetDateTime::from(std::time::SystemTime::from(read));
            }
        }
    }
}
