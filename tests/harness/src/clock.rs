//! The clock of the schedule, which is advanced by hand.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use vestibule_core::clock::ManualClock;

/// A clock that stands still until a test advances it.
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(SystemTime::now()))
}

/// How fast a clock goes: in each `beat` of real time it advances by `passes`.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The interval of real time.
    pub beat: Duration,
    /// By how much the clock advances in it.
    pub passes: Duration,
}

impl Pace {
    /// A second in ten milliseconds.
    pub const FAST: Self = Self {
        beat: Duration::from_millis(10),
        passes: Duration::from_secs(1),
    };

    /// Lets the clock go at this pace without end.
    pub async fn run(self, clock: &ManualClock) {
        loop {
            tokio::time::sleep(self.beat).await;
            clock.advance(self.passes);
        }
    }
}

/// Lets the clock go at this pace until `work` has ended.
pub async fn passing<T>(clock: &ManualClock, pace: Pace, work: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        done = work => done,
        () = pace.run(clock) => unreachable!("the loop that advances the clock has no end"),
    }
}
