//! P14: a sign-out is final, offline too.
//!
//! The process is killed after the click: at each step of the sign-out and at random moments, while
//! it waits, rotates or starts, with a backend that answers, is down or fails, and with and without
//! room on the disk. No later start may be signed in, and once the backend answers it must receive
//! the sign-out. A kill before the mark of the sign-out is on disk counts as a kill before the
//! click, and the case is repeated. The time until the click is visible is measured in the killed
//! process itself.

use std::sync::Arc;
use std::time::Duration;

use vestibule_bus::Bus;

use super::click::{Click, clicks};
use super::grace::GRACE;
use super::instrument::Instrument;
use super::leaver::{Leaver, Left};
use super::side_by_side::Queue;
use super::survival;
use crate::registry::Setting;
use crate::report::Row;
use crate::rig::Lost;

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
struct Toll {
    runs: u64,
    losses: u64,
    too_early: u64,
    shown: Vec<Duration>,
    /// The text about broken keyring daemons; see [`Instrument::broken`].
    broken: String,
}

async fn run(setting: &Setting, bus: Result<Arc<Bus>, Lost>, number: usize) -> Row {
    let toll = match world(setting, bus, clicks(number)).await {
        Ok(toll) => toll,
        Err(lost) => {
            eprintln!("\rP14 lost: {lost}");
            Toll {
                losses: number as u64,
                ..Toll::default()
            }
        }
    };
    let missing = (number as u64).saturating_sub(toll.runs);
    let worst = toll.shown.iter().max().copied();
    let in_time = worst.is_some_and(|worst| worst <= CLICK_TIMEOUT);
    Row {
        promise: "P14",
        what: format!(
            "SIGKILL after the click on sign-out, backend up, down or failing, disk full or not; shown within {:.0} ms; \
             {} more were killed before the mark{}",
            worst.unwrap_or_default().as_secs_f64() * 1000.0,
            toll.too_early,
            toll.broken,
        ),
        runs: toll.runs,
        losses: toll.losses.max(missing),
        bound: "never signed in after, the backend receives it; shown ≤ 200 ms",
        holds: toll.losses == 0 && missing == 0 && in_time,
    }
}

async fn world(
    setting: &Setting,
    bus: Result<Arc<Bus>, Lost>,
    clicks: Vec<Click>,
) -> Result<Toll, Lost> {
    let backends = survival::backends(GRACE).await?;
    let bus = bus?;
    let instrument = Arc::new(Instrument::new("P14", &bus));
    let queue = Queue::new("P14", setting, clicks);
    let ends = queue
        .work_off(|queue| {
            let leaver = |backend| Leaver::new(setting, backend, &bus);
            let mut leavers = backends.each_ref().map(leaver);
            let instrument = instrument.clone();
            async move {
                let mut toll = Toll::default();
                while let Some(click) = queue.next() {
                    let leaver = &mut leavers[click.carrier as usize];
                    toll.count(click, leaver, &instrument).await;
                    queue.done();
                }
                toll
            }
        })
        .await;
    let mut toll = Toll {
        broken: instrument.broken(),
        ..Toll::default()
    };
    for end in ends.into_iter().flatten() {
        toll.runs += end.runs;
        toll.losses += end.losses;
        toll.too_early += end.too_early;
        toll.shown.extend(end.shown);
    }
    Ok(toll)
}

impl Toll {
    /// Counts one sign-out. Repeats it if the kill came too early or the keyring daemon broke;
    /// `None` if that happens again and again.
    async fn count(&mut self, click: Click, leaver: &mut Leaver, instrument: &Instrument) {
        while !instrument.is_given_up() {
            let Some(left) = instrument.watch(leaver.leave(click), click).await else {
                leaver.start_over().await;
                continue;
            };
            match left {
                Ok(Left { marked, shown }) => {
                    self.shown.extend(shown);
                    if marked {
                        self.runs += 1;
                        return;
                    }
                    self.too_early += 1;
                }
                Err(lost) => {
                    eprintln!("\rP14 lost: {click:?}: {lost}");
                    self.runs += 1;
                    self.losses += 1;
                    leaver.start_over().await;
                    return;
                }
            }
        }
    }
}
