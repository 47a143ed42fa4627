//! P5 with a backend that has a grace window: whoever replays a token whose answer was lost
//! gets the same successor again, so nothing at all may be lost.

use std::time::Duration;

use super::survival::{self, Rule};
use crate::registry::Setting;
use crate::report::Row;

/// As the README asks of a backend.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// Every step once, and as many random moments.
pub async fn short(setting: &Setting) -> Row {
    run(setting, 1).await
}

/// Many.
pub async fn long(setting: &Setting) -> Row {
    run(setting, 25).await
}

async fn run(setting: &Setting, rounds: u64) -> Row {
    let [mut toll, body] = survival::run("P5", setting, rounds, Rule::Forgiving(GRACE)).await;
    toll.add(&body);
    Row {
        promise: "P5",
        what: format!(
            "SIGKILL at every step and at {} random moments, the token in cookies and in bodies, \
             60 s of grace",
            toll.random
        ),
        runs: toll.kills,
        losses: toll.losses,
        bound: "0 lost",
        holds: toll.losses == 0,
    }
}
