//! Wrong clocks as arithmetic: the plan of one client alone, over random sequences of token lifetimes and
//! sleeps of seconds to years, without a socket. A case is lost if it plans two refreshes within
//! 30 s, if it plans none, or if it panics.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use vestibule_core::testing::{Plan, SinceBoot};

use crate::registry::Setting;
use crate::report::Row;

const CASES: u64 = 20_000;
const STEPS: usize = 40;
const LEAST: Duration = Duration::from_secs(30);
const YEAR: u64 = 365 * 24 * 3600;

/// The short form: some sequences.
pub async fn short(setting: &Setting) -> Row {
    run(setting, CASES).await
}

/// Fifty times as many.
pub async fn long(setting: &Setting) -> Row {
    run(setting, CASES * 50).await
}

async fn run(setting: &Setting, cases: u64) -> Row {
    let setting = setting.clone();
    let counted = tokio::task::spawn_blocking(move || {
        let mut losses = 0;
        for seed in 0..cases {
            if let Err(lost) = case(seed) {
                losses += 1;
                eprintln!("\rplans lost: case {seed}: {lost}");
            }
            if (seed + 1) % 10_000 == 0 {
                setting.progress("plans", seed + 1, cases);
            }
        }
        losses
    });
    // A panic ends the count, and is at least one loss.
    let losses = counted.await.unwrap_or(1);
    Row {
        what: format!("plans of {STEPS} token lives, naps and years"),
        runs: cases,
        losses,
        bound: "≤ 1 refresh per 30 s, always one planned",
        holds: losses == 0,
    }
}

/// The loop of the timer with time as a number: it sleeps until a refresh is due, or is woken at
/// any later time; then it refreshes and gets a token with any lifetime.
fn case(seed: u64) -> Result<(), String> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut now: SinceBoot = Duration::from_secs(chance.random_range(0..YEAR));
    let mut plan = Plan::default();
    let mut last: Option<SinceBoot> = None;
    plan.begin(false);
    plan.request(now, false);
    plan.succeeded(now, any_life(&mut chance), chance.random());
    for _ in 0..STEPS {
        now += any_time(&mut chance);
        match plan.due_in(now) {
            None => return Err("no refresh is planned".into()),
            Some(wait) if wait > Duration::ZERO => {
                // A tick or the end of a sleep at which nothing is due.
                if chance.random() {
                    now += wait;
                } else {
                    continue;
                }
            }
            Some(_) => {}
        }
        if let Some(last) = last
            && now - last < LEAST
        {
            return Err(format!("refreshed at {last:?} and at {now:?}"));
        }
        last = Some(now);
        plan.begin(false);
        plan.request(now, false);
        // The answer takes up to the core's time limit, and the machine may sleep meanwhile.
        now += Duration::from_millis(chance.random_range(0..30_000));
        plan.succeeded(now, any_life(&mut chance), chance.random());
    }
    Ok(())
}

/// What a backend can say about a token's lifetime: a sensible value, a wrong one, or nothing.
fn any_life(chance: &mut StdRng) -> Option<Duration> {
    match chance.random_range(0..8) {
        0 => None,
        1 => Some(Duration::ZERO),
        2 => Some(Duration::MAX),
        3 => Some(Duration::from_millis(chance.random_range(0..2000))),
        4 => Some(Duration::from_secs(chance.random_range(0..100 * YEAR))),
        _ => Some(Duration::from_secs(chance.random_range(60..18_000))),
    }
}

fn any_time(chance: &mut StdRng) -> Duration {
    match chance.random_range(0..4) {
        0 => Duration::from_secs(chance.random_range(0..10 * YEAR)),
        1 => Duration::from_secs(chance.random_range(0..3600)),
        _ => Duration::from_millis(chance.random_range(0..30_000)),
    }
}
