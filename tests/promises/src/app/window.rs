//! A thread that stands in for the window: it reads the state all the time and records how long
//! that took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use vestibule_core::session::Session;

use super::child::ms;

/// How often the state is read, and how often the delay of the machine is measured.
const BEAT: Duration = Duration::from_millis(5);
/// A wait from this length on is compared with the delay of the machine.
const FELT: Duration = Duration::from_millis(50);

/// Reads the state as a window does, on the runtime that everything else uses. Delays of the whole
/// machine at the same moment are subtracted.
pub struct PollingWindow(Arc<AtomicU64>);

impl PollingWindow {
    pub fn open(runtime: Handle, session: Session) -> Self {
        let worst = Arc::new(AtomicU64::new(0));
        let noted = worst.clone();
        let late = late();
        std::thread::spawn(move || {
            loop {
                late.store(0, Ordering::Release);
                let (asked, asking) = (Instant::now(), session.clone());
                let answer = runtime.spawn(async move { asking.snapshot() });
                if runtime.block_on(answer).is_err() {
                    return;
                }
                let waited = asked.elapsed();
                let pause = if waited > FELT { 4 * BEAT } else { BEAT };
                std::thread::sleep(pause);
                let late = late.load(Ordering::Acquire);
                noted.fetch_max(ms(waited).saturating_sub(late), Ordering::AcqRel);
            }
        });
        Self(worst)
    }

    /// The longest read since the last time it was asked, in milliseconds.
    pub fn worst(&self) -> u64 {
        self.0.swap(0, Ordering::AcqRel)
    }
}

/// The largest delay, in milliseconds, with which a thread that only sleeps was woken.
fn late() -> Arc<AtomicU64> {
    let late = Arc::new(AtomicU64::new(0));
    let noted = late.clone();
    std::thread::spawn(move || {
        loop {
            let slept = Instant::now();
            std::thread::sleep(BEAT);
            let late = slept.elapsed().saturating_sub(BEAT);
            noted.fetch_max(ms(late), Ordering::AcqRel);
        }
    });
    late
}
