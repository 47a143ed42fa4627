//! The `Date` of an answer.

use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use vestibule_core::backend::Exchange;

/// When an answer was sent: by its `Date`, or else when it arrived here.
pub(crate) fn sent_at(exchange: &Exchange) -> SystemTime {
    said(exchange).unwrap_or(exchange.answered_at)
}

/// The time that the `Date` header gives.
pub(crate) fn said(exchange: &Exchange) -> Option<SystemTime> {
    read(exchange.headers.get("date")?.to_str().ok()?)
}

fn read(text: &str) -> Option<SystemTime> {
    let text = text.replace("GMT", "+0000");
    let date = OffsetDateTime::parse(&text, &Rfc2822).ok()?;
    Some(date.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_is_read() {
        let at = read("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since.as_secs(), 784_111_777);
        assert_eq!(read("yesterday"), None);
    }
}
