//! When the app sent a change of the session to its windows: its log says so, with the change's
//! revision.
//!
//! Times are times of day in milliseconds: the log and the page show the same clock in different
//! formats.

use std::collections::BTreeMap;
use std::path::Path;

use crate::registry::Outcome;

/// The text of the log line.
const SAID: &str = "a session change goes to the windows";
const DAY: f64 = 86_400_000.0;

/// The log level that includes the line.
pub const LOG: (&str, &str) = (
    "RUST_LOG",
    "info,tauri_plugin_vestibule::session_events=debug",
);

/// The time of each revision in a log.
///
/// # Errors
/// If the log cannot be read.
pub fn times(log: &Path) -> Outcome<BTreeMap<u64, f64>> {
    let text = std::fs::read_to_string(log);
    let text = text.map_err(|error| format!("{}: {error}", log.display()))?;
    Ok(text.lines().filter_map(sent).collect())
}

/// The milliseconds from one moment to another, given as a time of day and as milliseconds since
/// 1970.
#[must_use]
pub fn since(sent: f64, told_by_page: f64) -> f64 {
    let apart = (told_by_page.rem_euclid(DAY) - sent).rem_euclid(DAY);
    // A page's clock can be slightly behind.
    if apart > DAY / 2.0 {
        apart - DAY
    } else {
        apart
    }
}

/// `2026-11-28T15:04:05.123456Z DEBUG …: a session change goes to the windows revision=7`
fn sent(line: &str) -> Option<(u64, f64)> {
    let (head, fields) = line.split_once(SAID)?;
    let revision = fields.split("revision=").nth(1)?;
    let revision = revision
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()?;
    let (_, time) = head.split_once('T')?;
    let (time, _) = time.split_once('Z')?;
    let mut parts = time.split(':').map(str::parse::<f64>);
    let mut next = || parts.next()?.ok();
    let (hours, minutes, seconds) = (next()?, next()?, next()?);
    Some((revision, ((hours * 60.0 + minutes) * 60.0 + seconds) * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_gives_revision_and_time() {
        let line = "2026-11-28T00:01:02.003456Z DEBUG tauri_plugin_vestibule::session_events: \
                    a session change goes to the windows revision=17";
        let (revision, time) = sent(line).unwrap();
        assert_eq!(revision, 17);
        assert!((time - 62_003.456).abs() < 1e-6, "{time}");
        assert_eq!(sent("2026-11-28T00:01:02.003456Z  INFO x: started"), None);
    }

    #[test]
    fn midnight_is_no_day_apart() {
        assert!((since(86_399_999.0, 1_700_006_400_004.0) - 5.0).abs() < 1e-6);
        assert!(
            (since(2.0, 1_700_006_400_001.0) + 1.0).abs() < 1e-6,
            "a clock behind"
        );
    }
}
