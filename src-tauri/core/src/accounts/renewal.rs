//! When the session of an account that no window shows is renewed, so that it does not end unused.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::schedule;

/// How long a refresh token is taken to be valid if the backend does not say.
const LIFE_UNKNOWN: Duration = Duration::from_secs(24 * 3600);
/// The wait after a try that the backend did not answer, at the least and at the most.
const RETRY: (Duration, Duration) = (Duration::from_secs(300), Duration::from_secs(900));

/// A planned renewal, by the wall clock in milliseconds since the epoch, because it holds across
/// restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Renewal {
    /// When it was planned.
    planned_at: u64,
    due_at: u64,
}

impl Renewal {
    /// After the session was renewed: at a random point from 70 to 90 % of the refresh token's life,
    /// so that accounts that were renewed together are not renewed together again.
    pub(super) fn after_success(now_ms: u64, expires_at: Option<&str>, random: f64) -> Self {
        let ends = expires_at.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        let ends_ms = ends.and_then(|ends| u64::try_from(ends.unix_timestamp()).ok());
        let left = ends_ms.and_then(|ends| ends.checked_mul(1000)?.checked_sub(now_ms));
        let life = left.map_or(LIFE_UNKNOWN, Duration::from_millis);
        Self::planned(now_ms, schedule::share_of_life(life, random))
    }

    /// After a try in vain.
    pub(super) fn after_failure(now_ms: u64, random: f64) -> Self {
        let (least, most) = RETRY;
        Self::planned(
            now_ms,
            least + (most - least).mul_f64(random.clamp(0.0, 1.0)),
        )
    }

    fn planned(now_ms: u64, wait: Duration) -> Self {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self {
            planned_at: now_ms,
            due_at: now_ms.saturating_add(wait),
        }
    }

    /// How long until it is due. A wall clock before the time of planning was set back by somebody, so
    /// it says nothing about the wait: then it is due.
    pub(super) fn due_in(self, now_ms: u64) -> Duration {
        if now_ms < self.planned_at {
            return Duration::ZERO;
        }
        Duration::from_millis(self.due_at.saturating_sub(now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_764_000_000_000;

    #[test]
    fn a_renewal_comes_within_70_to_90_percent_of_the_refresh_tokens_life() {
        let in_ten_days = "2025-12-04T16:00:00Z";
        let life = Duration::from_secs(10 * 24 * 3600);
        for (random, share) in [(0.0, 0.7), (0.5, 0.8), (1.0, 0.9)] {
            let renewal = Renewal::after_success(NOW, Some(in_ten_days), random);
            let due = renewal.due_in(NOW);
            assert!(
                due.abs_diff(life.mul_f64(share)) < Duration::from_secs(1),
                "{due:?}"
            );
        }
        for nothing in [None, Some("soon"), Some("1999-01-01T00:00:00Z")] {
            let due = Renewal::after_success(NOW, nothing, 0.5).due_in(NOW);
            assert_eq!(due, Duration::from_secs(24 * 3600 * 8 / 10), "daily");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_it_due_and_one_that_was_set_ahead_too() {
        let renewal = Renewal::after_success(NOW, None, 0.5);
        assert_eq!(renewal.due_in(NOW - 1), Duration::ZERO);
        assert_eq!(renewal.due_in(u64::MAX), Duration::ZERO);
        let retry = Renewal::after_failure(NOW, 0.5);
        assert_eq!(retry.due_in(NOW), Duration::from_secs(600));
    }
}
