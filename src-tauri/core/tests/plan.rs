//! The plan of one client over days: sleeps, jumps of the wall clock, clicks, failures, and every
//! wait that a backend asks for. The loop is that of the session's timer; the clock is set by hand.
//!
//! `VESTIBULE_CASES` is the number of cases of each property; the long form runs 100,000.

use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use vestibule_core::testing::{
    CLICK_GAP, Clock, ManualClock, Plan, RETRY_AFTER_MAX, SPREAD_MAX, SinceBoot,
};

/// The timer checks at least this often; see `session::keep_alive`.
const TICK: Duration = Duration::from_secs(30);
const YEAR: u64 = 365 * 24 * 3600;

fn config() -> ProptestConfig {
    let cases = std::env::var("VESTIBULE_CASES").ok().map_or(500, |text| {
        text.parse().expect("VESTIBULE_CASES is a number")
    });
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What happens before the timer checks again.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    /// Time passes while the timer sleeps.
    Nothing,
    /// The machine sleeps for this long: time passes and no timer runs.
    Nap(Duration),
    /// The wall clock is set, up to ten years back or ahead.
    WallSet(u64),
    /// A click, at some point of the timer's sleep.
    Click(f64),
    /// The keyring is due to be read again soon.
    TryAgainIn(Duration),
}

fn any_meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        4 => Just(Meanwhile::Nothing),
        1 => (0..4 * 24 * 3600_u64).prop_map(|s| Meanwhile::Nap(Duration::from_secs(s))),
        1 => (0..20 * YEAR).prop_map(Meanwhile::WallSet),
        2 => (0.0..1.0).prop_map(Meanwhile::Click),
        1 => (0..60_000_u64).prop_map(|ms| Meanwhile::TryAgainIn(Duration::from_millis(ms))),
    ]
}

/// What the backend would answer.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Renewed(Option<Duration>),
    Failed(Option<Duration>),
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let time = || {
        prop::option::of(prop_oneof![
            Just(Duration::ZERO),
            Just(Duration::MAX),
            (0..48 * 3600_u64).prop_map(Duration::from_secs),
        ])
    };
    prop_oneof![
        time().prop_map(Answer::Renewed),
        time().prop_map(Answer::Failed),
    ]
}

fn any_life() -> impl Strategy<Value = Vec<(Meanwhile, Answer, f64)>> {
    prop::collection::vec((any_meanwhile(), any_answer(), 0.0..1.0), 1..80)
}

/// One client, and the waits it was asked for, recorded outside the plan, whose obedience is
/// checked.
struct Client {
    clock: ManualClock,
    plan: Plan,
    asked_until: SinceBoot,
    renewed: Option<SinceBoot>,
    failed: Option<SinceBoot>,
    tries: Vec<SinceBoot>,
}

impl Client {
    fn new() -> Self {
        let clock = ManualClock::new(UNIX_EPOCH + Duration::from_secs(10 * YEAR));
        clock.advance(Duration::from_secs(100));
        let mut client = Self {
            clock,
            plan: Plan::default(),
            asked_until: Duration::ZERO,
            renewed: None,
            failed: None,
            tries: Vec::new(),
        };
        client.ask(Answer::Renewed(None), 0.5);
        client
    }

    fn now(&self) -> SinceBoot {
        self.clock.since_boot()
    }

    fn ask(&mut self, answer: Answer, random: f64) {
        let now = self.now();
        assert!(now >= self.asked_until, "before the end of a Retry-After");
        self.tries.push(now);
        self.plan.begin(false);
        assert_eq!(
            self.plan.request(now, false),
            None,
            "only a page has to wait"
        );
        match answer {
            Answer::Renewed(lifetime) => {
                self.plan.succeeded(now, lifetime, random);
                (self.renewed, self.failed) = (Some(now), None);
            }
            Answer::Failed(retry_after) => {
                self.plan.failed(now, retry_after, random);
                let obeyed = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
                self.asked_until = now + obeyed;
                (self.renewed, self.failed) = (None, Some(now));
            }
        }
    }

    /// One turn of the timer's loop.
    fn turn(&mut self, meanwhile: Meanwhile, answer: Answer, random: f64) {
        let due = self.plan.due_in(self.now());
        let due = due.expect("a try is planned while a token is held");
        assert!(due <= Duration::from_secs(25 * 3600), "asleep for {due:?}");
        let sleep = due.min(TICK);
        match meanwhile {
            Meanwhile::Nothing => self.clock.advance(sleep),
            Meanwhile::Nap(nap) => self.clock.advance(sleep + nap),
            Meanwhile::WallSet(to) => {
                self.clock.set_wall(UNIX_EPOCH + Duration::from_secs(to));
                self.clock.advance(sleep);
            }
            Meanwhile::TryAgainIn(wait) => {
                // Only a session without a confirmed token has a keyring to wait for.
                if self.renewed.is_none() {
                    self.plan.try_again_in(self.now(), wait);
                }
                return;
            }
            Meanwhile::Click(at) => {
                self.clock.advance(sleep.mul_f64(at));
                let now = self.now();
                match self.plan.click_wait(now) {
                    Some(wait) => {
                        assert!(!wait.is_zero());
                        assert!(wait <= RETRY_AFTER_MAX + SPREAD_MAX / 5);
                    }
                    None => {
                        if let Some(failed) = self.failed {
                            assert!(
                                now - failed >= CLICK_GAP,
                                "a click is allowed too soon after the last"
                            );
                        }
                        self.ask(answer, random);
                    }
                }
                return;
            }
        }
        if self.plan.due_in(self.now()) == Some(Duration::ZERO) {
            if let Some(renewed) = self.renewed {
                let since = self.now() - renewed;
                assert!(since >= TICK, "refreshed ahead of time after {since:?}");
            }
            self.ask(answer, random);
        }
    }
}

proptest! {
    #![proptest_config(config())]

    /// No request before the end of a `Retry-After`, always one
    /// planned, and no early refresh within 30 s of the last.
    #[test]
    fn it_is_never_early_and_never_asleep_for_good(lifetime in any_life()) {
        let mut client = Client::new();
        for (meanwhile, answer, random) in lifetime {
            client.turn(meanwhile, answer, random);
        }
    }

    /// Setting the wall clock does not change when requests are made.
    #[test]
    fn the_wall_clock_does_not_matter(lifetime in any_life()) {
        let mut set = Client::new();
        let mut plain = Client::new();
        for (meanwhile, answer, random) in lifetime {
            set.turn(meanwhile, answer, random);
            let meanwhile = match meanwhile {
                Meanwhile::WallSet(_) => Meanwhile::Nothing,
                other => other,
            };
            plain.turn(meanwhile, answer, random);
        }
        prop_assert_eq!(set.tries, plain.tries);
    }

    /// However long the machine slept, and whatever was due meanwhile: one request after the sleep.
    #[test]
    fn a_nap_is_answered_by_one_try(
        lifetime in any_life(),
        nap in 25 * 3600..30 * 24 * 3600_u64,
        token in 60..24 * 3600_u64,
    ) {
        let mut client = Client::new();
        for (meanwhile, answer, random) in lifetime {
            client.turn(meanwhile, answer, random);
        }
        let before = client.tries.len();
        let renewed = Answer::Renewed(Some(Duration::from_secs(token)));
        client.turn(Meanwhile::Nap(Duration::from_secs(nap)), renewed, 0.5);
        prop_assert_eq!(client.tries.len(), before + 1, "one request after the sleep");
        client.turn(Meanwhile::Nothing, renewed, 0.5);
        prop_assert_eq!(client.tries.len(), before + 1, "no other request after the sleep");
    }
}

#[test]
fn looking_at_the_keyring_again_does_not_shorten_a_retry_after() {
    let mut plan = Plan::default();
    let now = Duration::from_secs(100);
    plan.begin(false);
    assert_eq!(plan.request(now, false), None);
    let wait = plan.failed(now, Some(Duration::from_secs(600)), 0.0);
    plan.try_again_in(now, Duration::from_secs(5));
    assert_eq!(plan.due_in(now), Some(wait));
}
