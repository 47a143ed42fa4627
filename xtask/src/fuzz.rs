//! Fuzzes every target of `fuzz/`, or one, for a limited time each.
//!
//! It uses the stable toolchain, since it needs no sanitiser: it looks for panics and failed
//! assertions, and the core forbids unsafe code. The committed seeds are never changed; inputs that
//! the fuzzer finds are kept in the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::failure::{Failure, Outcome, io, said};
use crate::setup::tools::FUZZER;
use crate::{console, process, root};

/// How long each target runs unless the command line says otherwise, in seconds.
const SECONDS: u32 = 30;
/// The longest input. Headers and paths are short, and bodies of this size can nest deeply enough.
const LONGEST: u32 = 4096;

/// What the command line asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FuzzOptions {
    /// Only this target.
    pub target: Option<String>,
    /// How many seconds each target runs.
    pub seconds: Option<u32>,
}

/// Builds the targets, runs them and prints the results.
pub fn run(options: &FuzzOptions) -> Outcome {
    let targets = select(targets()?, options.target.as_deref())?;
    FUZZER.ready()?;
    console::step("building the fuzz targets (some minutes the first time)");
    process::run(&mut fuzz("build"))?;
    let seconds = options.seconds.unwrap_or(SECONDS);
    println!(
        "{:<16} {:>12} {:>6} {:>8}",
        "target", "runs", "s", "crashes"
    );
    let (mut all, mut crashes) = (0, 0);
    for target in &targets {
        let start = Instant::now();
        let (runs, crashed) = one(target, seconds)?;
        all += runs;
        crashes += u32::from(crashed);
        println!(
            "{target:<16} {runs:>12} {:>6} {:>8}",
            start.elapsed().as_secs(),
            u32::from(crashed),
        );
    }
    println!("{:<16} {all:>12} {:>6} {crashes:>8}", "all", "");
    match crashes {
        0 => Ok(()),
        1 => Err(said("one target crashed; its input is named above")),
        many => Err(said(format!("{many} targets crashed; see above"))),
    }
}

/// Runs one target. Returns how many inputs it tried, and whether it crashed.
fn one(target: &str, seconds: u32) -> Outcome<(u64, bool)> {
    let found = made().join("found").join(target);
    let crashes = made().join("crashes").join(target);
    for folder in [&found, &crashes] {
        fs::create_dir_all(folder).map_err(io(format_args!("creating {}", folder.display())))?;
    }
    let mut command = fuzz("run");
    command
        .args([target.as_ref(), found.as_path(), &seeds(target)])
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LONGEST}"))
        // The slash at the end makes it a folder.
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .args(["-timeout=10", "-print_final_stats=1"]);
    let captured = process::capture(&mut command)?;
    if !captured.ok {
        process::show(last_lines(&captured.text, 60));
    }
    Ok((executed(&captured.text), !captured.ok))
}

/// A cargo-fuzz command for the workspace of the targets.
fn fuzz(subcommand: &str) -> Command {
    let mut command = Command::new(FUZZER.path());
    command
        .current_dir(root::root())
        .args([subcommand, "--sanitizer", "none", "--fuzz-dir"])
        .arg(folder())
        .arg("--target-dir")
        .arg(made());
    command
}

/// The workspace of the targets.
fn folder() -> PathBuf {
    root::root().join("fuzz")
}

/// Where builds and inputs are put.
fn made() -> PathBuf {
    root::target().join("fuzz")
}

fn seeds(target: &str) -> PathBuf {
    folder().join("seeds").join(target)
}

/// The names of the targets, from their files.
fn targets() -> Outcome<Vec<String>> {
    let folder = folder().join("targets");
    let files = fs::read_dir(&folder).map_err(io(format_args!("reading {}", folder.display())))?;
    let mut names: Vec<String> = files
        .flatten()
        .filter_map(|file| name(&file.path()))
        .collect();
    names.sort();
    Ok(names)
}

fn name(file: &Path) -> Option<String> {
    (file.extension()? == "rs").then(|| file.file_stem()?.to_str().map(str::to_owned))?
}

fn select(targets: Vec<String>, asked: Option<&str>) -> Outcome<Vec<String>> {
    let Some(asked) = asked else {
        return Ok(targets);
    };
    if targets.iter().any(|target| target == asked) {
        return Ok(vec![asked.to_owned()]);
    }
    Err(Failure::Said(format!(
        "there is no fuzz target `{asked}`; there are {}",
        targets.join(", ")
    )))
}

/// How many inputs libFuzzer reports to have run.
fn executed(text: &str) -> u64 {
    text.lines()
        .filter_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .find_map(|number| number.trim().parse().ok())
        .unwrap_or(0)
}

fn last_lines(text: &str, lines: usize) -> &str {
    let mut starts = text.rmatch_indices('\n').map(|(at, _)| at + 1);
    text.get(starts.nth(lines).unwrap_or(0)..).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_rust_file_and_each_has_seeds() {
        let targets = targets().unwrap();
        assert!(targets.contains(&"set_cookie".to_owned()), "{targets:?}");
        for target in targets {
            assert!(seeds(&target).is_dir(), "{target} has no seeds");
        }
        assert_eq!(
            name(Path::new("targets/response_fields.rs")),
            Some("response_fields".into())
        );
        assert_eq!(name(Path::new("targets/response_fields.txt")), None);
    }

    #[test]
    fn an_unknown_target_is_refused_with_the_names_there_are() {
        let there = || vec!["dates".to_owned(), "response_fields".to_owned()];
        assert_eq!(
            select(there(), Some("response_fields")).unwrap(),
            ["response_fields"]
        );
        assert_eq!(select(there(), None).unwrap().len(), 2);
        let failure = select(there(), Some("rpely")).unwrap_err().to_string();
        assert!(failure.contains("rpely") && failure.contains("dates"));
    }

    #[test]
    fn the_fuzzers_own_count_is_read() {
        let text = "Done 12 runs\nstat::number_of_executed_units: 5120\nstat::x: 1\n";
        assert_eq!(executed(text), 5120);
        assert_eq!(executed("nothing"), 0);
    }

    #[test]
    fn of_a_long_output_the_end_is_shown() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(last_lines("a\nb", 9), "a\nb");
    }
}
