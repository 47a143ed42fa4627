//! The clock of the schedule, which is advanced by hand.

use std::collections::BTreeMap;
use std::ops::{Deref, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use vestibule_core::testing::{Clock, ManualClock, SinceBoot, Sleep};

use crate::wait::eventually;

/// A clock that stands still until a test advances it, and knows who sleeps by it. That something is
/// not done before its time is shown by waiting for the sleep that comes before it.
pub struct TestClock {
    hand: ManualClock,
    /// The end of each sleep that goes on, by a number of its own.
    sleeps: Mutex<(u64, BTreeMap<u64, SinceBoot>)>,
}

impl Deref for TestClock {
    type Target = ManualClock;

    fn deref(&self) -> &ManualClock {
        &self.hand
    }
}

/// A clock that stands still.
pub fn clock() -> Arc<TestClock> {
    Arc::new(TestClock {
        hand: ManualClock::new(SystemTime::now()),
        sleeps: Mutex::default(),
    })
}

impl TestClock {
    /// Waits until a task sleeps by this clock for a time in this range.
    pub async fn until_asleep_for(&self, what: &str, left: impl RangeBounds<Duration>) {
        eventually(what, || {
            let now = self.since_boot();
            let sleeps = self.sleeps();
            let mut ends = sleeps.1.values().filter(|end| **end > now);
            ends.any(|end| left.contains(&(*end - now)))
        })
        .await;
    }

    /// Waits until every task that sleeps by this clock sleeps until a time that is still to come: the
    /// tasks whose time has come have run.
    pub async fn until_asleep(&self) {
        eventually("the schedule to sleep", || {
            let now = self.since_boot();
            let sleeps = self.sleeps();
            !sleeps.1.is_empty() && sleeps.1.values().all(|end| *end > now)
        })
        .await;
    }

    fn sleeps(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, SinceBoot>)> {
        self.sleeps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn since_boot(&self) -> SinceBoot {
        self.hand.since_boot()
    }

    fn wall(&self) -> SystemTime {
        self.hand.wall()
    }

    fn sleep_until(&self, until: SinceBoot) -> Sleep<'_> {
        let mut sleeps = self.sleeps();
        sleeps.0 += 1;
        let number = sleeps.0;
        sleeps.1.insert(number, until);
        drop(sleeps);
        let asleep = Asleep(self, number);
        Box::pin(async move {
            self.hand.sleep_until(until).await;
            drop(asleep);
        })
    }
}

/// A sleep that goes on until this is dropped.
struct Asleep<'a>(&'a TestClock, u64);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.sleeps().1.remove(&self.1);
    }
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
