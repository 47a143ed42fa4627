use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use crate::clock::{Clock, SinceBoot, Sleep};

/// A clock that is moved by hand, for tests and simulations.
pub struct ManualClock {
    since_boot: watch::Sender<SinceBoot>,
    wall: Mutex<SystemTime>,
}

impl ManualClock {
    /// The clock of a machine that has just started, with this wall clock.
    pub fn new(wall: SystemTime) -> Self {
        Self {
            since_boot: watch::Sender::new(Duration::ZERO),
            wall: Mutex::new(wall),
        }
    }

    /// Advances both clocks.
    pub fn advance(&self, by: Duration) {
        let mut wall = self.wall.lock().unwrap_or_else(PoisonError::into_inner);
        *wall = wall.checked_add(by).unwrap_or(*wall);
        drop(wall);
        self.since_boot.send_modify(|now| *now += by);
    }

    /// Sets the wall clock, as a user can.
    pub fn set_wall(&self, to: SystemTime) {
        *self.wall.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

impl Clock for ManualClock {
    fn since_boot(&self) -> SinceBoot {
        *self.since_boot.borrow()
    }

    fn wall(&self) -> SystemTime {
        *self.wall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep_until(&self, until: SinceBoot) -> Sleep<'_> {
        let mut now = self.since_boot.subscribe();
        Box::pin(async move {
            // The sender lives in `self`, which outlives this future.
            let _ = now.wait_for(|now| *now >= until).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[tokio::test]
    async fn a_manual_sleep_ends_when_time_has_passed() {
        let clock = std::sync::Arc::new(ManualClock::new(UNIX_EPOCH));
        let sleeper = clock.clone();
        let sleep = tokio::spawn(async move { sleeper.sleep_until(Duration::from_secs(10)).await });
        while clock.since_boot.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!sleep.is_finished());
        clock.advance(Duration::from_secs(1));
        sleep.await.unwrap();
        assert_eq!(clock.wall_ms(), 10_000);
    }
}
