//! The sign-outs to test: when the user clicks, and how the backend behaves.

use std::time::Duration;

use vestibule_core::testing::FAILPOINTS;

use super::kill_point::Moment;
use crate::carrier::{CARRIERS, Carrier};
use crate::proxy::{Act, End, Script};

/// How the backend behaves from the click on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendCondition {
    /// It answers.
    Up,
    /// Connections are refused.
    Down,
    /// It answers 503.
    Failing,
    /// It answers a web page with this status line, as a captive portal or a gateway does.
    Page(&'static str),
    /// It does what is asked, and its answer never arrives.
    Mute,
}

/// All of them; an answer is as likely as none.
const BACKEND_CONDITIONS: [BackendCondition; 8] = [
    BackendCondition::Up,
    BackendCondition::Down,
    BackendCondition::Up,
    BackendCondition::Failing,
    BackendCondition::Down,
    BackendCondition::Page("200 OK"),
    BackendCondition::Mute,
    BackendCondition::Page("404 Not Found"),
];

impl BackendCondition {
    /// What the proxy does to every request; `None` to pass it on.
    pub fn act(self) -> Option<Act> {
        let json = "content-type: application/json\r\n";
        let html = "content-type: text/html\r\n";
        Some(match self {
            Self::Up => return None,
            Self::Down => Act::Refuse,
            Self::Failing => Act::Instead(Script::answer("503 Service Unavailable", json, "{}")),
            Self::Page(status) => Act::Instead(Script::answer(status, html, "<p>Welcome")),
            Self::Mute => Act::spoil(|_| Script::of("", End::Reset)),
        })
    }
}

/// What the app is doing when the user clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It waits.
    Idle,
    /// It rotates without pause.
    Rotating,
    /// It was started a moment ago.
    Starting,
}

/// One sign-out, and the kill after it.
#[derive(Clone, Copy, Debug)]
pub struct SignOutCase {
    /// How the backend behaves.
    pub condition: BackendCondition,
    /// What the app is doing.
    pub activity: Activity,
    /// When the app is killed.
    pub moment: Moment,
    /// How the token travels.
    pub carrier: Carrier,
    /// Whether the disk has no room for another record from the click on.
    pub full: bool,
    /// Whether the next start is killed as well.
    pub twice: bool,
}

/// Approximately what a sign-out takes.
const SIGN_OUT: Duration = Duration::from_millis(80);

/// As many sign-outs as asked for: half are killed at the steps of a sign-out in turn, half at
/// random moments.
pub fn clicks(number: usize) -> Vec<SignOutCase> {
    let steps = FAILPOINTS.iter().filter(|step| step.starts_with("logout."));
    let steps: Vec<_> = steps.copied().collect();
    let activity = [Activity::Idle, Activity::Rotating, Activity::Starting];
    // Each list advances when the one before it starts over, so that every pair occurs.
    let click = |number: usize| {
        let round = number / 2;
        let (step, round) = (steps[round % steps.len()], round / steps.len());
        let (activity, round) = (activity[round % activity.len()], round / activity.len());
        SignOutCase {
            condition: BACKEND_CONDITIONS[(round + number) % BACKEND_CONDITIONS.len()],
            activity,
            moment: match number % 2 {
                0 => Moment::Step(step, 1),
                _ => Moment::Within(SIGN_OUT),
            },
            carrier: CARRIERS[number / 2 % CARRIERS.len()],
            full: number % 7 == 3,
            twice: number % 7 == 6,
        }
    };
    (0..number).map(click).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_step_meets_every_weather() {
        let met: BTreeSet<_> = clicks(2000)
            .iter()
            .map(|click| {
                format!(
                    "{:?} {:?} {:?}",
                    click.condition, click.activity, click.carrier
                )
            })
            .collect();
        assert_eq!(met.len(), 6 * 3 * 3);
        for step in FAILPOINTS.iter().filter(|step| step.starts_with("logout.")) {
            for click in [0, 60] {
                let some = &clicks(click + 60)[click..];
                let at = |click: &&SignOutCase| matches!(click.moment, Moment::Step(at, _) if at == *step);
                assert!(some.iter().any(|click| at(&click)), "{step}");
            }
        }
    }
}
