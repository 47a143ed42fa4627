//! When the next try is due, and which clicks may come before it, so that a client does not press a
//! backend that has a problem. Pure: the caller passes the time since boot, suspension included,
//! and a random number in [0, 1).

use std::time::Duration;

use crate::clock::SinceBoot;
use crate::schedule;

/// The planned tries of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    failures: u32,
    due: Option<SinceBoot>,
    /// The end of the backend's `Retry-After`. Clicks have to wait for it too.
    not_before: Option<SinceBoot>,
    last: Option<SinceBoot>,
    /// When a try last renewed the session. A sign-in does not count.
    renewed: Option<SinceBoot>,
}

impl Plan {
    /// A try begins.
    pub fn begin(&mut self, now: SinceBoot) {
        self.last = Some(now);
        self.due = None;
    }

    /// The session was renewed, with an access token that is valid for `lifetime`.
    pub fn succeeded(&mut self, now: SinceBoot, lifetime: Option<Duration>, random: f64) {
        *self = Self {
            due: Some(now + schedule::refresh_after(lifetime, random)),
            last: self.last,
            renewed: self.last.map(|_| now),
            ..Self::default()
        };
    }

    /// A try failed for a temporary reason. Returns how long until the next.
    pub fn failed(
        &mut self,
        now: SinceBoot,
        retry_after: Option<Duration>,
        random: f64,
    ) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let wait = schedule::retry_in(self.failures, retry_after, random);
        self.due = Some(now + wait);
        self.not_before = retry_after.map(|asked| now + schedule::click_in(asked, random));
        wait
    }

    /// Plans a try after `wait` without counting a failure of the backend. Not before the end of a
    /// `Retry-After`, because the try may send a request.
    pub fn try_again_in(&mut self, now: SinceBoot, wait: Duration) {
        self.due = Some(now + wait).max(self.not_before);
    }

    /// How long until the next try; zero when it is due, `None` when none is planned.
    pub fn due_in(&self, now: SinceBoot) -> Option<Duration> {
        self.due.map(|due| due.saturating_sub(now))
    }

    /// How long a click has to wait; `None` if it may try at once.
    pub fn click_wait(&self, now: SinceBoot) -> Option<Duration> {
        let gap = self
            .last
            .filter(|_| self.failures > 0)
            .map(|last| last + schedule::click_gap(self.failures));
        let until = self.not_before.max(gap)?;
        until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// How long a page has to wait before it may cause a renewal; `None` if it may now.
    pub fn page_wait(&self, now: SinceBoot) -> Option<Duration> {
        let until = self.renewed? + schedule::PAGE_GAP;
        until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// Whether the session was renewed later than `then`.
    pub fn is_renewed_since(&self, then: SinceBoot) -> bool {
        self.renewed.is_some_and(|renewed| renewed > then)
    }

    /// Whether the backend has asked for a pause that ends later than `now`.
    pub fn is_asked_to_wait(&self, now: SinceBoot) -> bool {
        self.not_before.is_some_and(|until| until > now)
    }

    /// How many tries have failed in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Happening {
        Passes(Duration),
        Renewed(Option<Duration>, f64),
        Failed(Option<Duration>, f64),
    }

    fn any_wait() -> impl Strategy<Value = Option<Duration>> {
        prop::option::of((0..u64::MAX / 4).prop_map(Duration::from_millis))
    }

    fn any_happening() -> impl Strategy<Value = Happening> {
        prop_oneof![
            (0..200_000_u64).prop_map(|s| Happening::Passes(Duration::from_secs(s))),
            (any_wait(), 0.0..1.0)
                .prop_map(|(lifetime, random)| Happening::Renewed(lifetime, random)),
            (any_wait(), 0.0..1.0).prop_map(|(wait, random)| Happening::Failed(wait, random)),
        ]
    }

    proptest! {
        #[test]
        fn it_is_never_early_and_never_gives_up(
            happenings in prop::collection::vec(any_happening(), 1..60),
        ) {
            let mut now = Duration::from_secs(1_000);
            let mut plan = Plan::default();
            for happening in happenings {
                match happening {
                    Happening::Passes(time) => now += time,
                    Happening::Renewed(lifetime, random) => {
                        plan.begin(now);
                        plan.succeeded(now, lifetime, random);
                        let due = plan.due_in(now).unwrap();
                        prop_assert!(due >= Duration::from_secs(30), "asks too often: {due:?}");
                        prop_assert_eq!(plan.click_wait(now), None);
                    }
                    Happening::Failed(retry_after, random) => {
                        plan.begin(now);
                        let wait = plan.failed(now, retry_after, random);
                        prop_assert_eq!(plan.due_in(now), Some(wait), "a try is always planned");
                        let asked = retry_after.unwrap_or_default();
                        let obeyed = asked.min(schedule::RETRY_AFTER_MAX);
                        prop_assert!(wait >= obeyed);
                        prop_assert!(plan.click_wait(now).unwrap() >= obeyed);
                    }
                }
            }
        }
    }

    #[test]
    fn a_click_may_come_before_the_backoff_but_not_at_once() {
        let mut plan = Plan::default();
        let now = Duration::from_secs(100);
        plan.begin(now);
        plan.failed(now, None, 1.0);
        assert_eq!(plan.click_wait(now), Some(schedule::CLICK_GAP));
        assert_eq!(plan.click_wait(now + schedule::CLICK_GAP), None);
    }

    #[test]
    fn a_click_may_come_before_the_schedule_once_retry_after_has_passed() {
        let mut plan = Plan::default();
        let now = Duration::from_secs(100);
        let asked = Duration::from_secs(100);
        plan.begin(now);
        let wait = plan.failed(now, Some(asked), 0.5);
        assert_eq!(wait, Duration::from_secs(125), "half of its spread of 50 s");
        assert_eq!(plan.click_wait(now), Some(Duration::from_secs(105)));
        assert!(plan.is_asked_to_wait(now + asked));
        let later = now + Duration::from_secs(105);
        assert_eq!(plan.click_wait(later), None);
        assert!(!plan.is_asked_to_wait(later));
        assert_eq!(plan.due_in(later), Some(Duration::from_secs(20)));
    }
}
