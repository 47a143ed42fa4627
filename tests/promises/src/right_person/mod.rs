//! Always the right person. A model of two people, three accounts in two installations and one keyring,
//! in one process. The core is the real one; transport, disk, keyring and clock belong to the model,
//! which makes everything happen to them that can happen, in an order that a seed determines.
//!
//! The invariants are checked from outside: the person shown owns the token, each request carries
//! the token of the person who asked for it, nobody else's session ends, and no token is sent that
//! the account knows to be used. A loss prints its seed and the shortest sequence that still
//! loses; `VESTIBULE_SEED=17 cargo xtask soak P19` runs only the sequence of that seed.

mod backend;
mod check;
mod desktop;
mod disk;
mod final_state;
mod keyring;
mod model_process;
pub mod mutants;
mod net;
mod plan;
mod process;
mod shrink;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use vestibule_core::testing::FAILPOINTS as STEPS;

use crate::pool;
use crate::registry::Setting;
use crate::report::Row;
use plan::Plan;
use world::{Outcome, World};

/// How many operations a sequence has.
const LENGTH: usize = 25;
/// How many sequences the short form runs, …
const SHORT: u64 = 1_000;
/// … starting with this seed, so that the tests of a change depend on the change alone.
const FIRST: u64 = 1;
/// How many operations the long form runs.
const LONG_OPS: u64 = 1_000_000;
/// After this many losses the run stops: more of them show nothing new.
const ENOUGH_LOSSES: u64 = 5;

/// The sums of all sequences.
#[derive(Default)]
struct Totals {
    sequences: u64,
    ops: u64,
    served: u64,
    signed_in: u64,
    losses: u64,
}

/// [`SHORT`] sequences.
pub async fn short(setting: &Setting) -> Row {
    let enough = |toll: &Totals| toll.sequences >= SHORT;
    run(setting, FIRST, SHORT, |toll| toll.sequences, enough).await
}

/// At least [`LONG_OPS`] operations.
pub async fn long(setting: &Setting) -> Row {
    let enough = |toll: &Totals| toll.ops >= LONG_OPS;
    let first = rand::random::<u32>().into();
    run(setting, first, LONG_OPS, |toll| toll.ops, enough).await
}

async fn run(
    setting: &Setting,
    first: u64,
    of: u64,
    done: fn(&Totals) -> u64,
    enough: impl Fn(&Totals) -> bool + Send + Sync + 'static,
) -> Row {
    let setting = setting.clone();
    let toll = tokio::task::spawn_blocking(move || all(&setting, first, of, done, &enough)).await;
    let toll = toll.unwrap_or_else(|error| {
        eprintln!("\rright person: {error}");
        Totals {
            losses: 1,
            ..Totals::default()
        }
    });
    Row {
        what: format!(
            "{} things happen to two people, three accounts of two installs and one keyring in {} sequences; {} \
             calls are answered for somebody, and at {} ends of a sequence somebody is signed in",
            toll.ops, toll.sequences, toll.served, toll.signed_in,
        ),
        runs: toll.sequences,
        losses: toll.losses,
        bound: "who is shown owns the token; each request has the token of who asked",
        holds: toll.losses == 0 && toll.served > 0 && toll.signed_in > 0,
    }
}

fn all(
    setting: &Setting,
    first: u64,
    of: u64,
    done: fn(&Totals) -> u64,
    enough: &(dyn Fn(&Totals) -> bool + Send + Sync),
) -> Totals {
    let named = std::env::var("VESTIBULE_SEED").ok();
    let named = named.and_then(|seed| seed.parse::<u64>().ok());
    let first = named.unwrap_or(first);
    let (next, toll) = (AtomicU64::new(first), Mutex::new(Totals::default()));
    let lock = || toll.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|lanes| {
        for _ in 0..pool::busy_jobs() {
            lanes.spawn(|| {
                loop {
                    {
                        let toll = lock();
                        if enough(&toll) || toll.losses >= ENOUGH_LOSSES {
                            return;
                        }
                    }
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if named.is_some_and(|named| named != seed) {
                        return;
                    }
                    let outcome = tried(seed);
                    let mut toll = lock();
                    toll.sequences += 1;
                    toll.ops += outcome.ops;
                    toll.served += outcome.served;
                    toll.signed_in += outcome.signed_in;
                    toll.losses += outcome.losses.len() as u64;
                    let done = done(&toll).min(of);
                    if toll.sequences % 100 == 0 || done == of {
                        setting.progress("right person", done, of);
                    }
                }
            });
        }
    });
    toll.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one sequence. A loss is printed, with the shortest sequence that still loses.
fn tried(seed: u64) -> Outcome {
    let plan = Plan::drawn(seed, LENGTH);
    let outcome = World::run(&plan);
    if let Some(loss) = outcome.losses.first() {
        let loses = |plan: &Plan| World::run(plan).losses.into_iter().next();
        let (short, what) = shrink::shrink(&plan, loses);
        let what = what.as_ref().unwrap_or(loss);
        let ops: Vec<_> = short.ops.iter().map(|op| format!("{op:?}")).collect();
        eprintln!(
            "\rright person lost: seed {seed}, {:?}: {what}\n  {}",
            short.config,
            ops.join("\n  ")
        );
    }
    outcome
}
