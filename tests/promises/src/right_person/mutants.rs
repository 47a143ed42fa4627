//! The proof of the model: checks are removed from the core, one by one, and the model must notice each.
//!
//! A check is removed by its name, which `mutant!` in the core's `failpoints` looks up; without the
//! feature `failpoints` nothing is looked up. Each removal runs in a child process, since
//! failpoints are set for a whole process.

use std::time::Duration;

use vestibule_harness::Lost;
use vestibule_harness::child::{ChildProcess, command};

use super::plan::Plan;
use super::world::World;
use crate::children::mutant::MutantProtocol;
use crate::registry::Setting;
use crate::report::Row;

/// Checks without which one person gets something of another, and what each protects.
pub const CHECKS: [&str; 6] = [
    "without.epoch",
    "without.bearers_session",
    "without.items_session",
    "without.items_install",
    "without.items_account",
    "without.spent",
];

/// How many sequences may pass before a missing check is noticed.
const SHORT: u64 = 1_000;
const LONG: u64 = 20_000;
/// Longer than any of these searches takes.
const LONGEST_SEARCH: Duration = Duration::from_secs(4 * 3600);

/// Runs sequences without this check until one loses. Returns after how many, and what it lost.
///
/// # Errors
/// If the check cannot be removed.
pub fn look_for(check: &str, sequences: u64, seed: u64) -> Result<Option<(u64, String)>, String> {
    fail::cfg(check, "return")?;
    for number in 0..sequences {
        let plan = Plan::drawn(seed + number, super::LENGTH);
        if let Some(loss) = World::run(&plan).losses.into_iter().next() {
            return Ok(Some((number + 1, loss)));
        }
    }
    Ok(None)
}

/// A few sequences for each check.
pub async fn short(setting: &Setting) -> Row {
    run(setting, SHORT, super::FIRST).await
}

/// As many sequences as it takes.
pub async fn long(setting: &Setting) -> Row {
    run(setting, LONG, rand::random::<u32>().into()).await
}

async fn run(setting: &Setting, sequences: u64, seed: u64) -> Row {
    let mut found = Vec::new();
    for check in CHECKS {
        let after = match without(check, sequences, seed, setting).await {
            Ok(Some((after, loss))) => {
                eprintln!("\rmissing checks: {check}: after {after} sequences: {loss}");
                Some(after)
            }
            Ok(None) => {
                eprintln!("\rmissing checks: {check}: the model did not notice that it is missing");
                None
            }
            Err(lost) => {
                eprintln!("\rmissing checks: {check}: {lost}");
                None
            }
        };
        found.extend(after);
    }
    let losses = (CHECKS.len() - found.len()) as u64;
    Row {
        what: format!(
            "{} checks are taken out of the core, one by one; found after {found:?} sequences",
            CHECKS.len(),
        ),
        runs: CHECKS.len() as u64,
        losses,
        bound: "each is found",
        holds: losses == 0,
    }
}

/// Runs the model in a child process without this check.
async fn without(
    check: &str,
    sequences: u64,
    seed: u64,
    setting: &Setting,
) -> Result<Option<(u64, String)>, Lost> {
    let arguments = (check.to_owned(), sequences, seed);
    let command = command::<MutantProtocol>(&setting.program, &arguments)?;
    let mut child = ChildProcess::<MutantProtocol>::start(command)?;
    child.ready_within(LONGEST_SEARCH).await
}
