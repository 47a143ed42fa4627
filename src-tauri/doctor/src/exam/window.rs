//! For how long a refresh token that was used still gets its successor: what replays of it
//! bound, and whether that is long enough.
//!
//! The backend counts from its own rotation, somewhere between our request and its answer, so
//! each replay has a least and a greatest age. A window that shuts just when it should is
//! therefore never seen open up to the last moment: nearly so, and shut no earlier, is enough.

use std::time::{Duration, Instant};

/// When a replay is tried, counted from the rotation, as far as patience goes.
const MOMENTS: [u64; 9] = [0, 2, 5, 10, 20, 30, 45, 60, 120];

/// When a token was rotated, as far as can be told from here.
#[derive(Clone, Copy)]
pub(super) struct Rotation {
    /// The request had not left yet.
    pub asked: Instant,
    /// The answer was there.
    pub answered: Instant,
}

/// What the replays have bounded so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds {
    /// It was open for at least so long.
    pub open: Option<Duration>,
    /// And was shut after so long at most.
    pub shut: Option<Duration>,
}

/// What that says of a window that should be open for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Enough,
    TooShort,
    /// Nobody looked for long enough.
    Unwatched,
    /// The answers came too slowly to say it.
    TooSlow,
}

impl Rotation {
    /// The least age of the token at the backend, for a replay that leaves now.
    pub(super) fn least_age(&self) -> Duration {
        self.answered.elapsed()
    }

    /// The greatest, for a replay that is answered now.
    pub(super) fn greatest_age(&self) -> Duration {
        self.asked.elapsed()
    }
}

impl Bounds {
    /// Whether the window is open for as long as is `wanted`.
    pub(super) fn judge(&self, wanted: Duration) -> Verdict {
        let nearly = self.open.is_some_and(|open| open >= near(wanted));
        match self.shut {
            Some(shut) if shut < wanted => Verdict::TooShort,
            _ if nearly => Verdict::Enough,
            None => Verdict::Unwatched,
            // Refused the moment after: however slow that was, there is no window.
            Some(_) if self.open.is_none() => Verdict::TooShort,
            Some(_) => Verdict::TooSlow,
        }
    }
}

/// When to replay, for as long as patience goes.
pub(super) fn moments(wanted: Duration, patience: Duration) -> Vec<Duration> {
    let mut moments: Vec<Duration> = MOMENTS.map(Duration::from_secs).into();
    moments.extend([near(wanted), wanted]);
    moments.retain(|moment| *moment < patience);
    moments.push(patience);
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// Near enough: earlier by what an answer may take, and a clock that counts in seconds.
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
