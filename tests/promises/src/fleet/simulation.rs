//! The event loop: whoever is next in time asks, and its plan says when it asks again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use vestibule_core::plan::Plan;
use vestibule_core::schedule;

use super::chance::Chance;
use super::figures::{Figures, Ledger};
use super::world::{Answer, World};
use super::{OUTAGE, Scenario};

/// What wakes a client up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    /// Its schedule.
    Due,
    /// Somebody at its screen.
    Click,
}

struct Client {
    plan: Plan,
    /// The end of the last `Retry-After`, kept apart from the plan that is to obey it.
    told: Duration,
    /// Since when it is refused, while it is.
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

/// How long after the outage is looked at, at the least.
const AFTERMATH: Duration = Duration::from_secs(1800);

/// Runs one scenario: a token's life of ordinary days, the outage, and a life after it, so
/// that its echo is seen: those who were renewed together are due together.
pub fn run(scenario: &Scenario) -> Figures {
    let life = scenario.life;
    // The machines were started a life before the first event: time cannot be negative.
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
        // A weak backend refuses some on any day: those are not the outage's.
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
    /// A fleet on an ordinary day: each client somewhere between two refreshes.
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
            let interval = schedule::refresh_after(Some(scenario.life), random);
            let renewed = scenario.life * 2 - interval.mul_f64(fleet.chance.draw());
            plan.begin(renewed);
            plan.renewed(renewed, Some(scenario.life), random);
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
            // A click has moved the plan meanwhile; its own alarm is set.
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
        client.plan.begin(now);
        ledger.request(now, now < client.told);
        if ledger.counts(now) {
            client.requests += 1;
        }
        let random = self.chance.draw();
        match world.answer(now) {
            Answer::Renewed => {
                client.plan.renewed(now, Some(self.life), random);
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
                // The banner is there, and so is the button.
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
