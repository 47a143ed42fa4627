//! Counts how often a refresh has failed in one way that may mean the end of its session: it was refused
//! by a status alone, or the provider's discovery names a token endpoint of another origin. A gateway in
//! front of the backend, or of the provider, gives the same answers when it has a problem, so the session
//! ends only after three equal ones, some time apart.

use std::time::Duration;

use crate::backend::BackendError;
use crate::clock::SinceBoot;

/// When the second and the third refusal are requested, counted from the first: within these
/// bounds.
const SECOND_REFUSAL_AFTER: (Duration, Duration) =
    (Duration::from_secs(10), Duration::from_secs(15));
const THIRD_REFUSAL_AFTER: (Duration, Duration) =
    (Duration::from_secs(30), Duration::from_secs(40));

/// The count. It is only in memory: after a restart it begins again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusals(Option<RefusalCount>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RefusalCount {
    fault: BackendError,
    count: u32,
    first: SinceBoot,
    /// When the next refusal that counts may be requested.
    next: SinceBoot,
}

/// What one more refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalOutcome {
    /// Not enough yet: ask again at this time.
    AskAt(SinceBoot),
    /// The third: the session is over.
    Over,
}

impl Refusals {
    /// Whether a refusal waits for its confirmation.
    pub(super) fn is_counting(self) -> bool {
        self.0.is_some()
    }

    /// When the next refusal that counts is to be requested.
    pub(super) fn next(self) -> Option<SinceBoot> {
        self.0.map(|counted| counted.next)
    }

    /// Counts one more refusal, of a refresh that was requested at `asked`. Refusals that a
    /// person's clicks cause between two that count are not counted.
    pub(super) fn count(
        &mut self,
        fault: BackendError,
        asked: SinceBoot,
        random: f64,
    ) -> RefusalOutcome {
        let counted = match self.0 {
            Some(counted) if counted.fault == fault => {
                if asked < counted.next {
                    return RefusalOutcome::AskAt(counted.next);
                }
                RefusalCount {
                    count: counted.count + 1,
                    ..counted
                }
            }
            Some(_) | None => RefusalCount {
                fault,
                count: 1,
                first: asked,
                next: asked,
            },
        };
        let (from, to) = match counted.count {
            1 => SECOND_REFUSAL_AFTER,
            2 => THIRD_REFUSAL_AFTER,
            _ => return RefusalOutcome::Over,
        };
        let wait = from + (to - from).mul_f64(random.clamp(0.0, 1.0));
        // The second refusal may have come late.
        let next = (counted.first + wait).max(asked + SECOND_REFUSAL_AFTER.0);
        self.0 = Some(RefusalCount { next, ..counted });
        RefusalOutcome::AskAt(next)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    const NO: BackendError = BackendError::Status(StatusCode::UNAUTHORIZED);

    fn at(seconds: u64) -> SinceBoot {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_takes_three_of_one_kind_half_a_minute_apart() {
        let mut refusals = Refusals::default();
        assert_eq!(
            refusals.count(NO, at(100), 0.0),
            RefusalOutcome::AskAt(at(110))
        );
        assert_eq!(
            refusals.count(NO, at(105), 1.0),
            RefusalOutcome::AskAt(at(110))
        );
        assert_eq!(
            refusals.count(NO, at(112), 1.0),
            RefusalOutcome::AskAt(at(140))
        );
        assert_eq!(
            refusals.count(NO, at(139), 1.0),
            RefusalOutcome::AskAt(at(140))
        );
        assert_eq!(refusals.count(NO, at(500), 1.0), RefusalOutcome::Over);
    }

    #[test]
    fn another_kind_begins_anew() {
        let mut refusals = Refusals::default();
        refusals.count(NO, at(100), 0.0);
        refusals.count(NO, at(110), 0.0);
        let forbidden = BackendError::Status(StatusCode::FORBIDDEN);
        assert_eq!(
            refusals.count(forbidden, at(131), 0.0),
            RefusalOutcome::AskAt(at(141))
        );
        let moved = BackendError::ProviderMoved;
        assert_eq!(
            refusals.count(moved, at(142), 0.0),
            RefusalOutcome::AskAt(at(152))
        );
    }
}
