//! No input makes a parser panic.
//!
//! Short: the fuzz targets over their committed seeds, each cut off at every length, as a broken
//! connection leaves it. Long: `cargo xtask fuzz`, whose table this reads.

use std::path::{Path, PathBuf};

use crate::cargo::{cargo, root};
use crate::registry::Setting;
use crate::report::Row;

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

/// How long the fuzzer has for each target, in seconds.
const SECONDS: &str = "120";
/// A target with fewer seeds is not tested.
const SEEDS: u64 = 10;

/// Runs the committed seeds.
pub async fn short(_: &Setting) -> Row {
    let run = tokio::task::spawn_blocking(over_the_seeds).await;
    // Only a panic outside of the targets ends the run early.
    let (runs, losses) = run.unwrap_or((0, 1));
    row("the committed seeds, cut off at every length", runs, losses)
}

/// Runs the fuzzer.
pub async fn long(_: &Setting) -> Row {
    match fuzzed().await {
        Ok((runs, crashes)) => {
            let what = format!("cargo xtask fuzz, {SECONDS} s for each target");
            row(&what, runs, crashes)
        }
        Err(error) => {
            eprintln!("parsers: {error}");
            row("the fuzzer could not be run", 0, 0)
        }
    }
}

fn row(what: &str, runs: u64, losses: u64) -> Row {
    Row {
        what: what.to_owned(),
        runs,
        losses,
        bound: "0 crashes",
        holds: runs > 0 && losses == 0,
    }
}

fn over_the_seeds() -> (u64, u64) {
    let (mut runs, mut losses) = (0, 0);
    for (name, target) in targets::TARGETS {
        let mut seeds = 0;
        for seed in files(&root().join("fuzz/seeds").join(name)) {
            seeds += 1;
            let bytes = std::fs::read(&seed).unwrap_or_default();
            for end in 0..=bytes.len() {
                runs += 1;
                let input = &bytes[..end];
                if std::panic::catch_unwind(|| target(input)).is_err() {
                    losses += 1;
                    eprintln!(
                        "parsers: {name} panics on the first {end} bytes of {}",
                        seed.display()
                    );
                }
            }
        }
        if seeds < SEEDS {
            losses += 1;
            eprintln!("parsers: {name} has {seeds} seeds");
        }
    }
    (runs, losses)
}

/// Runs the fuzzer. Returns how many inputs it tried and how many targets crashed.
async fn fuzzed() -> Result<(u64, u64), String> {
    let ended = cargo(&["xtask", "fuzz", "--seconds", SECONDS], &[]).await?;
    let sum = counted(&ended.text).ok_or("`cargo xtask fuzz` did not run every target")?;
    if !ended.ok && sum.1 == 0 {
        return Err("`cargo xtask fuzz` failed; see above".into());
    }
    Ok(sum)
}

/// Parses the fuzzer's table: target, runs, seconds, crashes. `None` if a target has no line.
fn counted(text: &str) -> Option<(u64, u64)> {
    let (mut runs, mut crashes) = (0, 0);
    for (target, _) in targets::TARGETS {
        let line = text
            .lines()
            .find(|line| line.split_whitespace().next() == Some(target))?;
        let mut numbers = line.split_whitespace().skip(1).map(str::parse::<u64>);
        let (tried, _, crashed) = (numbers.next()?, numbers.next()?, numbers.next()?);
        runs += tried.ok()?;
        crashes += crashed.ok()?;
    }
    Some((runs, crashes))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuzzers_table_is_added_up() {
        let lines = |crashed: u64| {
            targets::TARGETS
                .map(|(name, _)| format!("{name:<14} {:>12} {:>6} {crashed:>8}\n", 1000, 2))
                .concat()
        };
        assert_eq!(counted(&lines(0)), Some((5000, 0)));
        assert_eq!(counted(&lines(1)), Some((5000, 5)));
        assert_eq!(counted("dates 12 1 0"), None);
    }
}
