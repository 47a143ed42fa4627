//! Kills with a backend that has a grace window: a client that sends a token again whose answer was
//! lost gets the same successor again, so no kill may lose a session.

use std::sync::Arc;
use std::time::Duration;

use vestibule_bus::Bus;
use vestibule_harness::Lost;

use super::kill_point::{KillPoint, kill_points};
use super::survival::{self, Rule};
use crate::registry::Setting;
use crate::report::Row;

/// The grace window that the README asks of a backend.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// Every step once, and as many random moments.
pub async fn short(setting: &Setting) -> Row {
    run(setting, survival::bus(), kill_points(1)).await
}

/// The long form: many kills.
pub async fn long(setting: &Setting) -> Row {
    run(setting, survival::bus(), kill_points(25)).await
}

/// The first few kills with each carrier, on a bus whose keyring daemon a test breaks meanwhile.
pub async fn few(setting: &Setting, bus: &Arc<Bus>, kills: usize) -> Row {
    let kill_points = kill_points(1).into_iter().take(kills).collect();
    run(setting, Ok(bus.clone()), kill_points).await
}

async fn run(setting: &Setting, bus: Result<Arc<Bus>, Lost>, kill_points: Vec<KillPoint>) -> Row {
    let rule = Rule::Forgiving(GRACE);
    let kills = survival::run("kills with grace", setting, bus, kill_points, rule).await;
    let [mut counts, body] = kills.counts;
    counts.add(&body);
    Row {
        what: format!(
            "SIGKILL at every step and at {} random moments, the token in cookies and in bodies, \
             60 s of grace{}",
            counts.random, kills.broken
        ),
        runs: counts.kills,
        losses: counts.losses,
        bound: "0 lost",
        holds: counts.losses == 0,
    }
}
