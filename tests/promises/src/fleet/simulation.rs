//! The event loop: the client that is due next sends a request, and its plan sets its next time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use vestibule_core::testing::{Plan, refresh_after};

use super::chance::Chance;
use super::figures::{Figures, Ledger};
use super::world::{Answer, World};
use super::{OUTAGE, Scenario};

/// What wakes a client up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    /// Its plan.
    Due,
    /// A click of its user.
    Click,
}

struct Client {
    plan: Plan,
    /// The end of the last `Retry-After`, kept outside the plan, whose obedience is checked.
    told: Duration,
    /// Since when its requests are refused, while they are.
    stale_since: Option<Duration>,
    impatient: bool,
    requests: u32,
}

struct Fleet {
    clients: Vec<Client>,
    alarms: BinaryHeap<Reverse<(Duration, u32, Alarm)>>,
    chance: Chance,
    life: Duration,
}

/// How much time after the outage is simulated at least.
const AFTERMATH: Duration = Duration::from_secs(1800);

/// Runs one scenario: ordinary days for one token lifetime, the outage, and one lifetime after it.
/// The last part shows the echo: clients that refreshed together are due together again.
pub fn run(scenario: &Scenario) -> Figures {
    let life = scenario.life;
    // The machines started one lifetime before the first event, since time cannot be negative.
    let from = life * 3;
    let end = from + OUTAGE + life.max(AFTERMATH);
    let mut fleet = Fleet::new(scenario);
    let mut world = World::new(scenario, from);
    let mut ledger = Ledger::new(scenario.clients, from, end);
    while let Some(Reverse((now, number, alarm))) = fleet.alarms.pop() {
        if now >= end {
            break;
        }
        fleet.wake(now, number, alarm, &mut world, &mut ledger);
    }
    let lost = fleet.clients.iter().filter(|client| {
        // A weak backend refuses some requests on any day; those do not count for the outage.
        let waits = client
            .stale_since
            .is_some_and(|since| since < from + OUTAGE);
        waits || client.plan.due_in(end).is_none()
    });
    ledger.close(
        lost.count(),
        fleet.clients.iter().map(|client| client.requests),
    )
}

impl Fleet {
    /// A fleet on an ordinary day: each client is at a random point between two refreshes.
    fn new(scenario: &Scenario) -> Self {
        let mut fleet = Self {
            clients: Vec::with_capacity(scenario.clients as usize),
            alarms: BinaryHeap::with_capacity(scenario.clients as usize * 2),
            chance: Chance::new(scenario.seed),
            life: scenario.life,
        };
        for number in 0..scenario.clients {
            let mut plan = Plan::default();
            let random = fleet.chance.draw();
            let interval = refresh_after(Some(scenario.life), random);
            let renewed = scenario.life * 2 - interval.mul_f64(fleet.chance.draw());
            plan.begin(false);
            plan.request(renewed, false);
            plan.succeeded(renewed, Some(scenario.life), random);
            let due = plan.due_in(renewed).expect("a renewal plans the next");
            let impatient = fleet.chance.draw() * 100.0 < f64::from(scenario.impatient_percent);
            fleet.clients.push(Client {
                plan,
                told: Duration::ZERO,
                stale_since: None,
                impatient,
                requests: 0,
            });
            fleet.ring(renewed + due, number, Alarm::Due);
        }
        fleet
    }

    fn ring(&mut self, at: Duration, number: u32, alarm: Alarm) {
        self.alarms.push(Reverse((at, number, alarm)));
    }

    fn wake(
        &mut self,
        now: Duration,
        number: u32,
        alarm: Alarm,
        world: &mut World,
        ledger: &mut Ledger,
    ) {
        let client = &mut self.clients[number as usize];
        match alarm {
            // A click has changed the plan meanwhile and set an alarm of its own.
            Alarm::Due if client.plan.due_in(now) != Some(Duration::ZERO) => return,
            Alarm::Click if client.stale_since.is_none() => return,
            Alarm::Click => {
                if let Some(wait) = client.plan.click_wait(now) {
                    self.ring(now + wait, number, Alarm::Click);
                    return;
                }
            }
            Alarm::Due => {}
        }
        client.plan.begin(false);
        client.plan.request(now, false);
        ledger.request(now, now < client.told);
        if ledger.counts(now) {
            client.requests += 1;
        }
        let random = self.chance.draw();
        match world.answer(now) {
            Answer::Renewed => {
                client.plan.succeeded(now, Some(self.life), random);
                if let Some(since) = client.stale_since.take() {
                    ledger.fresh_again(since, now);
                }
            }
            Answer::Refused(retry_after) => {
                client.plan.failed(now, retry_after, random);
                let first = client.stale_since.is_none();
                client.stale_since.get_or_insert(now);
                if first {
                    ledger.stale(now);
                }
                // The app shows the banner with its button.
                if client.impatient && (first || alarm == Alarm::Click) {
                    self.alarms.push(Reverse((now, number, Alarm::Click)));
                }
                if let Some(wait) = retry_after {
                    client.told = now + wait;
                }
            }
        }
        let next = self.clients[number as usize].plan.due_in(now);
        if let Some(wait) = next {
            self.ring(now + wait, number, Alarm::Due);
        }
    }
}
