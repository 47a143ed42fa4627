//! Kills with a backend that has a grace window: a client that sends a token again whose answer was
//! lost gets the same successor again, so no kill may lose a session.

use std::sync::Arc;
use std::time::Duration;

use vestibule_bus::Bus;
use vestibule_harness::Lost;

use super::kill_point::{KillPoint, kill_points};
use super::survival::{self, KillList, Rule};
use crate::registry::Setting;
use crate::report::Row;

/// The grace window that the README asks of a backend.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// Of the kills of a short form, one in so many is made with a session of the browser. The number is
/// odd, so that both steps and random moments are met.
pub(super) const SAMPLE: usize = 5;

/// Every step once, and as many random moments.
pub async fn short(setting: &Setting) -> Row {
    let kills = KillList::new(kill_points(1), SAMPLE);
    run(setting, survival::bus(), kills).await
}

/// The long form: many kills.
pub async fn long(setting: &Setting) -> Row {
    let kills = KillList::new(kill_points(25), 1);
    run(setting, survival::bus(), kills).await
}

/// The first few kills, on a bus whose keyring daemon a test breaks meanwhile.
pub async fn few(setting: &Setting, bus: &Arc<Bus>, kills: usize) -> Row {
    let kill_points: Vec<KillPoint> = kill_points(1).into_iter().take(kills).collect();
    let kills = KillList::new(kill_points, SAMPLE);
    run(setting, Ok(bus.clone()), kills).await
}

async fn run(setting: &Setting, bus: Result<Arc<Bus>, Lost>, kills: KillList) -> Row {
    let rule = Rule::Forgiving(GRACE);
    let kills = survival::run("kills with grace", setting, bus, kills, rule).await;
    let [mut counts, body, provider] = kills.counts;
    counts.add(&body);
    counts.add(&provider);
    Row {
        what: format!(
            "SIGKILL at every step and at {} random moments, the token in cookies, in bodies and, {} \
             times, at a provider, 60 s of grace{}",
            counts.random, provider.kills, kills.broken
        ),
        runs: counts.kills,
        losses: counts.losses,
        bound: "0 lost",
        holds: counts.losses == 0,
    }
}
