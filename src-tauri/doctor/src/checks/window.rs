//! The grace window: for how long an old refresh token still gets its successor, as far as replays
//! bound it, and whether that is long enough.
//!
//! The backend counts from its own rotation, which lies somewhere between our request and its
//! answer, so that each replay has a least and a greatest age. A window that shuts at exactly the
//! wanted time is therefore never seen open up to its last moment. It is enough if it was seen open
//! until shortly before, and not shut earlier.

use std::time::{Duration, Instant};

/// Seconds after the rotation at which a replay is tried, up to the plan's `patience`.
const MOMENTS: [u64; 9] = [0, 2, 5, 10, 20, 30, 45, 60, 120];

/// The time of a rotation at the backend is between these two.
#[derive(Clone, Copy)]
pub(super) struct Rotation {
    /// Before the request left.
    pub asked: Instant,
    /// After the answer arrived.
    pub answered: Instant,
}

/// What the replays say about the window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    /// It was open for at least this long.
    pub open: Option<Duration>,
    /// It was shut after this long at most.
    pub shut: Option<Duration>,
}

/// Whether the window is long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Enough,
    TooShort,
    /// The replays ended before the window did, and before the wanted time.
    Unwatched,
    /// The answers came too slowly to tell.
    TooSlow,
}

impl Rotation {
    /// The least age of the old token, for a replay that leaves now.
    pub(super) fn least_age(&self) -> Duration {
        self.answered.elapsed()
    }

    /// The greatest age of the old token, for a replay that is answered now.
    pub(super) fn greatest_age(&self) -> Duration {
        self.asked.elapsed()
    }
}

impl Bounds {
    /// Whether the window is open for the `wanted` time.
    pub(crate) fn judge(&self, wanted: Duration) -> Verdict {
        let nearly = self.open.is_some_and(|open| open >= near(wanted));
        match self.shut {
            Some(shut) if shut < wanted => Verdict::TooShort,
            _ if nearly => Verdict::Enough,
            None => Verdict::Unwatched,
            // The first replay was refused: however late it came, there is no window.
            Some(_) if self.open.is_none() => Verdict::TooShort,
            Some(_) => Verdict::TooSlow,
        }
    }
}

/// The ages at which to replay an old token.
pub(super) fn moments(wanted: Duration, patience: Duration) -> Vec<Duration> {
    let mut moments: Vec<Duration> = MOMENTS.map(Duration::from_secs).into();
    moments.extend([near(wanted), wanted]);
    moments.retain(|moment| *moment < patience);
    moments.push(patience);
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// The wanted time, less what an answer may take and what a clock that counts in seconds loses.
fn near(wanted: Duration) -> Duration {
    wanted.saturating_sub((wanted / 20).max(Duration::from_secs(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Duration = Duration::from_secs(60);

    fn judged(open: Option<u64>, shut: Option<u64>) -> Verdict {
        let [open, shut] = [open, shut].map(|seconds| seconds.map(Duration::from_secs));
        Bounds { open, shut }.judge(WANTED)
    }

    #[test]
    fn a_window_that_shuts_on_time_is_enough_and_one_that_shuts_early_is_not() {
        for (open, shut, verdict) in [
            (Some(57), Some(60), Verdict::Enough),
            (Some(57), Some(61), Verdict::Enough),
            (Some(120), None, Verdict::Enough),
            (None, Some(0), Verdict::TooShort),
            (Some(20), Some(30), Verdict::TooShort),
            (Some(45), Some(58), Verdict::TooShort),
            (Some(57), Some(59), Verdict::TooShort),
        ] {
            assert_eq!(judged(open, shut), verdict, "{open:?} to {shut:?}");
        }
    }

    #[test]
    fn what_was_not_seen_is_not_said() {
        assert_eq!(judged(Some(0), None), Verdict::Unwatched);
        assert_eq!(judged(Some(45), None), Verdict::Unwatched);
        assert_eq!(judged(Some(45), Some(63)), Verdict::TooSlow);
    }

    #[test]
    fn the_last_replays_are_just_before_the_wanted_time_and_at_it() {
        let seconds = |patience| -> Vec<u64> {
            let moments = moments(WANTED, Duration::from_secs(patience));
            moments.iter().map(Duration::as_secs).collect()
        };
        assert_eq!(seconds(60), [0, 2, 5, 10, 20, 30, 45, 57, 60]);
        assert_eq!(seconds(0), [0]);
        assert_eq!(seconds(200), [0, 2, 5, 10, 20, 30, 45, 57, 60, 120, 200]);
    }
}
