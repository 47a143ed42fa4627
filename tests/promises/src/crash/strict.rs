//! Kills with a backend without a grace window: once it has rotated, the token on its way to the
//! client is the only valid one, and a crash before the keyring has it loses the session. No client
//! can prevent that. These rows show that nothing else is lost, and how long that moment is.

use super::grace::SAMPLE;
use super::kill_point::kill_points;
use super::survival::{self, KillCounts, KillList, Rule};
use crate::registry::Setting;
use crate::report::Row;

/// Every step once, and as many random moments.
pub async fn short(setting: &Setting) -> Row {
    run(setting, 1, SAMPLE).await
}

/// The long form: many kills.
pub async fn long(setting: &Setting) -> Row {
    run(setting, 25, 1).await
}

async fn run(setting: &Setting, rounds: u64, one_in: usize) -> Row {
    let bus = survival::bus();
    let list = KillList::new(kill_points(rounds), one_in);
    let kills = survival::run("kills without grace", setting, bus, list, Rule::Strict).await;
    let [cookies, bodies, provider] = kills.counts;
    let mut counts = cookies;
    counts.add(&bodies);
    counts.add(&provider);
    Row {
        what: format!(
            "the same, strict: lost at random moments of rotating without pause: {} with cookies, \
             {} with bodies, {} at a provider; {} lost elsewhere{}",
            window(&cookies),
            window(&bodies),
            window(&provider),
            counts.losses,
            kills.broken,
        ),
        runs: counts.kills,
        losses: counts.losses + counts.in_window,
        bound: "each between the server's commit and the keyring's confirmation",
        holds: counts.losses == 0,
    }
}

/// How many kills lost a session in that moment, and how long the moment is in each rotation.
fn window(counts: &KillCounts) -> String {
    let rotation = counts.rotating.as_secs_f64() * 1000.0 / counts.rotations.max(1) as f64;
    let rate = counts.random_in_window as f64 / counts.random_rotating.max(1) as f64;
    format!(
        "{} of {} ({:.1} ms of each rotation's {rotation:.1})",
        counts.random_in_window,
        counts.random_rotating,
        rate * rotation,
    )
}
