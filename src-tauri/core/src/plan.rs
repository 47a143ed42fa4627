//! When the next try is due, and which clicks may come before it, so that a client does not press a
//! backend that has a problem. Pure: the caller passes the time since boot, suspension included,
//! and a random number in [0, 1).

use std::time::Duration;

use crate::clock::SinceBoot;
use crate::schedule;

/// The planned tries of the session, and the last request of any session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    failures: u32,
    due: Option<SinceBoot>,
    /// The app's own next try, during a try that a page has caused: that one leaves it in place.
    own_due: Option<SinceBoot>,
    /// The end of the backend's `Retry-After`. Clicks have to wait for it too.
    not_before: Option<SinceBoot>,
    /// When the last request went out, of this session or an earlier one.
    sent: Option<SinceBoot>,
    /// A page has caused a request, and none has succeeded since.
    is_paged: bool,
    /// When the session was renewed, or begun by a sign-in; `None` if a request has gone out since.
    renewed: Option<SinceBoot>,
}

impl Plan {
    /// A try begins. A page that has caused it (`by_page`) neither shortens nor restarts the
    /// app's own backoff.
    pub fn begin(&mut self, by_page: bool) {
        let due = self.due.take();
        self.own_due = due.filter(|_| by_page && self.failures > 0);
    }

    /// A request is about to go out. Returns how long it has to wait; `None` if it goes out now.
    /// One that a page has caused waits, and so do all requests after it until one succeeds,
    /// because a page's refresh that fails is followed by retries.
    pub fn request(&mut self, now: SinceBoot, by_page: bool) -> Option<Duration> {
        let wait = self.page_wait(now).filter(|_| by_page || self.is_paged);
        if wait.is_none() {
            self.sent = Some(now);
            self.is_paged |= by_page;
            self.renewed = None;
        }
        wait
    }

    /// The session is over. What was sent for it counts for the next one too.
    pub fn end_session(&mut self) {
        *self = Self {
            sent: self.sent,
            is_paged: self.is_paged,
            ..Self::default()
        };
    }

    /// The session was renewed, with an access token that is valid for `lifetime`.
    pub fn succeeded(&mut self, now: SinceBoot, lifetime: Option<Duration>, random: f64) {
        *self = Self {
            due: Some(now + schedule::refresh_after(lifetime, random)),
            sent: self.sent,
            renewed: Some(now),
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
        let earliest = self.earliest(now);
        let backoff = earliest + schedule::retry_in(self.failures, retry_after, random);
        let due = match (self.own_due.take(), retry_after) {
            (None, _) => backoff,
            (Some(own), None) => own.max(earliest),
            (Some(own), Some(_)) => own.max(backoff),
        };
        self.due = Some(due);
        self.not_before = retry_after.map(|asked| now + schedule::click_in(asked, random));
        due - now
    }

    /// Plans a try after `wait` without counting a failure of the backend. Not before the end of a
    /// `Retry-After`, because the try may send a request.
    pub fn try_again_in(&mut self, now: SinceBoot, wait: Duration) {
        let due = self.earliest(now).max(now + wait);
        self.due = Some(due).max(self.not_before).max(self.own_due.take());
    }

    /// How long until the next try; zero when it is due, `None` when none is planned.
    pub fn due_in(&self, now: SinceBoot) -> Option<Duration> {
        self.due.map(|due| due.saturating_sub(now))
    }

    /// Whether the next try is planned, so none is under way.
    pub fn is_waiting(&self) -> bool {
        self.due.is_some()
    }

    /// How long a click has to wait; `None` if it may try at once.
    pub fn click_wait(&self, now: SinceBoot) -> Option<Duration> {
        let gap = self
            .sent
            .filter(|_| self.failures > 0)
            .map(|sent| sent + schedule::click_gap(self.failures));
        let until = self.not_before.max(gap)?;
        until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// How long a page has to wait before it may cause a request; `None` if it may now.
    pub fn page_wait(&self, now: SinceBoot) -> Option<Duration> {
        let until = self.sent? + schedule::PAGE_GAP;
        until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// Whether the session was renewed or begun since the last request went out.
    pub fn is_renewed(&self) -> bool {
        self.renewed.is_some()
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

    /// When the next request may go out that no page causes.
    fn earliest(&self, now: SinceBoot) -> SinceBoot {
        let wait = self.page_wait(now).filter(|_| self.is_paged);
        now + wait.unwrap_or_default()
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
                        plan.begin(false);
                        plan.request(now, false);
                        plan.succeeded(now, lifetime, random);
                        let due = plan.due_in(now).unwrap();
                        prop_assert!(due >= Duration::from_secs(30), "asks too often: {due:?}");
                        prop_assert_eq!(plan.click_wait(now), None);
                    }
                    Happening::Failed(retry_after, random) => {
                        plan.begin(false);
                        plan.request(now, false);
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

    /// A second of the app with a page that asks in each of them, in tenths.
    #[derive(Clone, Debug)]
    struct Second {
        page_asks: [bool; 10],
        is_renewed: bool,
        retry_after: Option<Duration>,
        random: f64,
    }

    fn any_second() -> impl Strategy<Value = Second> {
        let retry_after = prop::option::weighted(0.05, (0..20_u64).prop_map(Duration::from_secs));
        let page_asks = any::<[bool; 10]>();
        let is_renewed = prop::bool::weighted(0.1);
        (page_asks, is_renewed, retry_after, 0.0..1.0).prop_map(
            |(page_asks, is_renewed, retry_after, random)| Second {
                page_asks,
                is_renewed,
                retry_after,
                random,
            },
        )
    }

    proptest! {
        #[test]
        fn what_a_page_causes_is_five_seconds_apart_from_the_request_before(
            seconds in prop::collection::vec(any_second(), 1..200),
        ) {
            let mut plan = Plan::default();
            let mut now = Duration::from_secs(1_000);
            plan.succeeded(now, None, 0.5);
            let (mut sent, mut is_paged) = (None, false);
            for second in seconds {
                for page_asks in second.page_asks {
                    now += Duration::from_millis(100);
                    let may_ask = plan.click_wait(now).or(plan.page_wait(now)).is_none();
                    let by_page = page_asks && may_ask;
                    let own = plan.due_in(now).map(|wait| now + wait);
                    let is_due = plan.due_in(now) == Some(Duration::ZERO);
                    if !by_page && !is_due {
                        continue;
                    }
                    let had_failed = plan.failures() > 0;
                    plan.begin(by_page);
                    prop_assert_eq!(plan.request(now, by_page), None, "it need not wait");
                    is_paged |= by_page;
                    if let Some(before) = sent.filter(|_| is_paged) {
                        prop_assert!(now - before >= schedule::PAGE_GAP);
                    }
                    sent = Some(now);
                    if second.is_renewed {
                        plan.succeeded(now, None, second.random);
                        is_paged = false;
                    } else {
                        plan.failed(now, second.retry_after, second.random);
                        let due = plan.due_in(now).map(|wait| now + wait);
                        if by_page && had_failed {
                            prop_assert!(due >= own, "the app's own retry is not earlier");
                        }
                        if by_page && had_failed && second.retry_after.is_none() {
                            let latest = own.max(Some(now + schedule::PAGE_GAP));
                            prop_assert!(due <= latest, "nor put off again and again");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_click_may_come_before_the_backoff_but_not_at_once() {
        let mut plan = Plan::default();
        let now = Duration::from_secs(100);
        plan.begin(false);
        plan.request(now, false);
        plan.failed(now, None, 1.0);
        assert_eq!(plan.click_wait(now), Some(schedule::CLICK_GAP));
        assert_eq!(plan.click_wait(now + schedule::CLICK_GAP), None);
    }

    #[test]
    fn a_click_may_come_before_the_schedule_once_retry_after_has_passed() {
        let mut plan = Plan::default();
        let now = Duration::from_secs(100);
        let asked = Duration::from_secs(100);
        plan.begin(false);
        plan.request(now, false);
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
