//! The clocks: the wall's, and the time since boot with suspension included. The standard
//! library's `Instant` stands still while a Linux machine sleeps, and the wall clock may be
//! set to anything, so the schedule runs on the time since boot.

use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since the machine was started, including the time it was asleep. It never goes back, even
/// if somebody sets the wall clock.
pub type SinceBoot = Duration;

/// The future that [`Clock::sleep_until`] returns.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time since boot.
    fn since_boot(&self) -> SinceBoot;
    /// The wall clock, for people to read. It may be set to anything, so no deadline depends on it.
    fn wall(&self) -> SystemTime;
    /// Ends at `until`, or somewhat later if the machine was asleep then. It takes a moment, not a
    /// length, so the time that passes before the sleep begins is not slept a second time.
    fn sleep_until(&self, until: SinceBoot) -> Sleep<'_>;

    /// The wall clock in milliseconds since the epoch; 0 before it.
    fn wall_ms(&self) -> u64 {
        let since = self.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[cfg(target_os = "linux")]
    fn since_boot(&self) -> SinceBoot {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::try_from(now).unwrap_or_default()
    }

    /// Apple's `CLOCK_MONOTONIC` counts on while the machine sleeps; see clock_gettime(3).
    #[cfg(target_os = "macos")]
    fn since_boot(&self) -> SinceBoot {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Duration::try_from(now).unwrap_or_default()
    }

    /// On Windows `Instant` is the performance counter, which counts on during sleep.
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    fn since_boot(&self) -> SinceBoot {
        use std::sync::LazyLock;
        use std::time::Instant;
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep_until(&self, until: SinceBoot) -> Sleep<'_> {
        Box::pin(tokio::time::sleep(until.saturating_sub(self.since_boot())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_clock_goes_on() {
        let first = SystemClock.since_boot();
        assert!(first > Duration::ZERO || cfg!(windows));
        assert!(SystemClock.since_boot() >= first);
        assert!(SystemClock.wall_ms() > 0);
    }
}
