//! A sign-out is final, offline too.
//!
//! The process is killed after the click: at each step of the sign-out and at random moments, while
//! it waits, rotates or starts, with a backend that answers, is down or fails, with and without
//! room on the disk, and with a token in a cookie, in bodies and at a provider. No later start may be signed in, and once the backend answers it must receive
//! the sign-out. A kill before the mark of the sign-out is on disk counts as a kill before the
//! click, and the case is repeated. The time until the click is visible is measured in the killed
//! process itself.

use std::sync::Arc;
use std::time::Duration;

use vestibule_bus::Bus;
use vestibule_harness::Lost;

use super::daemon_monitor::DaemonMonitor;
use super::grace::GRACE;
use super::job_queue::Queue;
use super::sign_out_case::{SignOutCase, clicks};
use super::sign_out_worker::{SignOutOutcome, SignOutWorker};
use super::survival;
use crate::registry::Setting;
use crate::report::Row;

/// The longest time until the user sees the effect of a click.
const CLICK_TIMEOUT: Duration = Duration::from_millis(200);

/// Every step a few times.
pub async fn short(setting: &Setting) -> Row {
    run(setting, survival::bus(), 60).await
}

/// The long form: many sign-outs.
pub async fn long(setting: &Setting) -> Row {
    run(setting, survival::bus(), 2000).await
}

/// A few sign-outs, on a bus whose keyring daemon a test breaks meanwhile.
pub async fn few(setting: &Setting, bus: &Arc<Bus>, number: usize) -> Row {
    run(setting, Ok(bus.clone()), number).await
}

#[derive(Default)]
struct KillCounts {
    runs: u64,
    losses: u64,
    too_early: u64,
    shown: Vec<Duration>,
    /// The text about broken keyring daemons; see [`DaemonMonitor::broken`].
    broken: String,
}

async fn run(setting: &Setting, bus: Result<Arc<Bus>, Lost>, number: usize) -> Row {
    let counts = match kill_all(setting, bus, clicks(number)).await {
        Ok(counts) => counts,
        Err(lost) => {
            eprintln!("\rsign-outs lost: {lost}");
            KillCounts {
                losses: number as u64,
                ..KillCounts::default()
            }
        }
    };
    let missing = (number as u64).saturating_sub(counts.runs);
    let worst = counts.shown.iter().max().copied();
    let in_time = worst.is_some_and(|worst| worst <= CLICK_TIMEOUT);
    Row {
        what: format!(
            "SIGKILL after the click on sign-out, the token in cookies, in bodies and at a provider, backend up, \
             down or failing, disk full or not; shown within {:.0} ms; \
             {} more were killed before the mark{}",
            worst.unwrap_or_default().as_secs_f64() * 1000.0,
            counts.too_early,
            counts.broken,
        ),
        runs: counts.runs,
        losses: counts.losses.max(missing),
        bound: "never signed in after, the backend receives it; shown ≤ 200 ms",
        holds: counts.losses == 0 && missing == 0 && in_time,
    }
}

async fn kill_all(
    setting: &Setting,
    bus: Result<Arc<Bus>, Lost>,
    clicks: Vec<SignOutCase>,
) -> Result<KillCounts, Lost> {
    let backends = survival::backends(GRACE).await?;
    let bus = bus?;
    let monitor = Arc::new(DaemonMonitor::new("sign-outs", &bus));
    let queue = Queue::new("sign-outs", setting, clicks);
    let ends = queue
        .work_off(|queue| {
            let worker = |backend| SignOutWorker::new(setting, backend, &bus);
            let mut leavers = backends.each_ref().map(worker);
            let monitor = monitor.clone();
            async move {
                let mut counts = KillCounts::default();
                while let Some(click) = queue.next() {
                    let worker = &mut leavers[click.carrier as usize];
                    counts.count(click, worker, &monitor).await;
                    queue.done();
                }
                counts
            }
        })
        .await;
    let mut counts = KillCounts {
        broken: monitor.broken(),
        ..KillCounts::default()
    };
    for end in ends.into_iter().flatten() {
        counts.runs += end.runs;
        counts.losses += end.losses;
        counts.too_early += end.too_early;
        counts.shown.extend(end.shown);
    }
    Ok(counts)
}

impl KillCounts {
    /// Counts one sign-out. Repeats it if the kill came too early or the keyring daemon broke;
    /// `None` if that happens again and again.
    async fn count(
        &mut self,
        click: SignOutCase,
        worker: &mut SignOutWorker,
        monitor: &DaemonMonitor,
    ) {
        while !monitor.is_given_up() {
            let Some(left) = monitor.watch(worker.leave(click), click).await else {
                worker.start_over().await;
                continue;
            };
            match left {
                Ok(SignOutOutcome { marked, shown }) => {
                    self.shown.extend(shown);
                    if marked {
                        self.runs += 1;
                        return;
                    }
                    self.too_early += 1;
                }
                Err(lost) => {
                    eprintln!("\rsign-outs lost: {click:?}: {lost}");
                    self.runs += 1;
                    self.losses += 1;
                    worker.start_over().await;
                    return;
                }
            }
        }
    }
}
