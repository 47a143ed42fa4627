//! The kill points: in which situation and at which moment a process is killed.

use std::time::Duration;

use vestibule_core::testing::FAILPOINTS;

/// The moment of a kill.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// At a random time within this duration.
    Within(Duration),
    /// When it reaches this step for the given time.
    Step(&'static str, u32),
}

/// Who is signed in before a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nobody has ever signed in.
    Nobody,
    /// Somebody has signed out.
    SignedOut,
    /// Somebody is signed in, and the sign-in replaces the session.
    Session,
}

/// A kill.
#[derive(Clone, Copy, Debug)]
pub enum KillPoint {
    /// While it rotates without pause.
    Rotating(Moment),
    /// During a start, which rotates once.
    Starting(Moment),
    /// During a sign-in.
    SigningIn(Before, Moment),
    /// During a sign-out.
    SigningOut(&'static str),
}

/// The time of a few rotations.
const ROTATIONS: Duration = Duration::from_millis(150);
/// Slightly more than a sign-in takes.
const SIGN_IN: Duration = Duration::from_millis(40);
/// Approximately what a start takes.
pub const START: Duration = Duration::from_millis(150);
/// A kill happens at most at this occurrence of a step.
const PASSINGS: u32 = 3;

/// A random moment within this duration. It is the time of a kill; no test waits for a result
/// with it.
pub fn moment_within(most: Duration) -> Duration {
    most.mul_f64(rand::random())
}

impl KillPoint {
    /// Whether the kill comes at a random moment.
    pub fn is_random(self) -> bool {
        let (Self::Rotating(moment) | Self::Starting(moment) | Self::SigningIn(_, moment)) = self
        else {
            return false;
        };
        matches!(moment, Moment::Within(_))
    }
}

/// Every step of the core once, in each situation in which it can occur, and as many random
/// moments; all of that `rounds` times.
pub fn kill_points(rounds: u64) -> Vec<KillPoint> {
    let mut kill_points = Vec::new();
    for round in 0..rounds {
        let mut steps = Vec::new();
        for step in FAILPOINTS {
            match step.split('.').next() {
                Some("login") => {
                    let before = [Before::Nobody, Before::SignedOut, Before::Session];
                    let moment = Moment::Step(step, 1);
                    steps.extend(before.map(|before| KillPoint::SigningIn(before, moment)));
                }
                Some("logout") => steps.push(KillPoint::SigningOut(step)),
                _ => {
                    let passing = u32::try_from(round).unwrap_or(0) % PASSINGS + 1;
                    steps.push(KillPoint::Rotating(Moment::Step(step, passing)));
                    steps.push(KillPoint::Starting(Moment::Step(step, 1)));
                }
            }
        }
        let random = (0..steps.len()).map(|number| match number % 8 {
            6 => KillPoint::Starting(Moment::Within(START)),
            7 => KillPoint::SigningIn(Before::Session, Moment::Within(SIGN_IN)),
            _ => KillPoint::Rotating(Moment::Within(ROTATIONS)),
        });
        let random: Vec<_> = random.collect();
        kill_points.extend(steps.into_iter().zip(random).flat_map(|(a, b)| [a, b]));
    }
    kill_points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_died_at_in_every_round() {
        for step in FAILPOINTS {
            let at = |kill_point: &&KillPoint| match kill_point {
                KillPoint::Rotating(Moment::Step(at, _))
                | KillPoint::Starting(Moment::Step(at, _))
                | KillPoint::SigningIn(_, Moment::Step(at, _))
                | KillPoint::SigningOut(at) => *at == step,
                _ => false,
            };
            assert!(
                kill_points(1).iter().any(|kill_point| at(&kill_point)),
                "{step}"
            );
        }
        let random = kill_points(1)
            .iter()
            .filter(|kill_point| kill_point.is_random())
            .count();
        assert_eq!(random * 2, kill_points(1).len());
    }
}
