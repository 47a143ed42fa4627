//! Runs test programs, a few at a time: most tests wait, for a network or for a keyring that is
//! slow on purpose, and running the programs one by one would leave the machine idle at the end of
//! each.
//!
//! A program's output is printed in one piece when the program has ended.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::programs::{self, Program};
use crate::failure::{Failure, Outcome, said};
use crate::{console, process, root};

/// Which programs run, and with which arguments.
#[derive(Debug, PartialEq, Eq)]
pub struct ParallelOptions {
    /// A list of programs, as [`programs::write`] makes one.
    pub list: PathBuf,
    /// How many run at once.
    pub at_once: usize,
    /// The arguments for each program.
    pub arguments: Vec<OsString>,
}

/// Runs all programs of the list, first those that took longest the last time, and passes on their
/// output.
///
/// # Errors
/// If one of them failed; the error names all that did.
pub fn run(options: &ParallelOptions) -> Outcome {
    run_and_report(options, |words| console::pass_on(words))
}

/// The same, calling `tell` when a program starts and with its output when it has ended.
fn run_and_report(options: &ParallelOptions, tell: impl Fn(&str) + Sync) -> Outcome {
    let mut programs = programs::read(&options.list)?;
    let mut times = Times::beside(&options.list);
    programs.sort_by_key(|program| std::cmp::Reverse(times.of(program)));
    let queue = Mutex::new(programs.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let ended = thread::scope(|threads| {
        let work = || {
            let mut ended = Vec::new();
            while let Some(program) = next() {
                let begun = Instant::now();
                let outcome = one(&program, &options.arguments, &tell);
                let is_interrupted = matches!(outcome, Err(Failure::Interrupted(_)));
                ended.push((program, begun.elapsed().as_millis(), outcome));
                if is_interrupted {
                    break;
                }
            }
            ended
        };
        let workers: Vec<_> = (0..options.at_once.max(1))
            .map(|_| threads.spawn(work))
            .collect();
        let ended = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_default());
        ended.flatten().collect::<Vec<_>>()
    });
    let mut failed = Vec::new();
    for (program, millis, outcome) in ended {
        times.note(&program, millis);
        match outcome {
            Ok(true) => {}
            Ok(false) => failed.push(program.name),
            Err(failure) => return Err(failure),
        }
    }
    times.write();
    if failed.is_empty() {
        return Ok(());
    }
    Err(said(format!("tests failed in: {}", failed.join(", "))))
}

/// Runs one program; returns whether its tests passed.
fn one(program: &Program, arguments: &[OsString], tell: &impl Fn(&str)) -> Outcome<bool> {
    let Program {
        name,
        executable,
        folder,
    } = program;
    tell(&format!("     Running {name}"));
    let mut command = Command::new(executable);
    root::forget_our_package(&mut command);
    command
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_MANIFEST_DIR", folder);
    let captured = process::capture(&mut command)?;
    let (ended, text) = (
        if captured.ok { "Passed" } else { "FAILED" },
        captured.text.trim_end(),
    );
    tell(&format!("\n      {ended} {name}\n{text}"));
    Ok(captured.ok)
}

/// How long each program took in its last run, in milliseconds; kept beside the list.
struct Times {
    file: PathBuf,
    millis: BTreeMap<String, u64>,
}

impl Times {
    fn beside(list: &Path) -> Self {
        let file = list.with_extension("times.json");
        let text = fs::read_to_string(&file).unwrap_or_default();
        Self {
            file,
            millis: serde_json::from_str(&text).unwrap_or_default(),
        }
    }

    /// The time of this program; for one that has never run, its size stands in: larger ones come
    /// first.
    fn of(&self, program: &Program) -> u64 {
        let known = self.millis.get(&program.name).copied();
        known.unwrap_or_else(|| fs::metadata(&program.executable).map_or(0, |about| about.len()))
    }

    fn note(&mut self, program: &Program, millis: u128) {
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        self.millis.insert(program.name.clone(), millis);
    }

    /// Writes the times. A failure is ignored, since they only determine the order.
    fn write(&self) {
        if let Ok(text) = serde_json::to_string(&self.millis) {
            let _ = fs::write(&self.file, text);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn every_program_runs_in_its_folder_and_those_that_fail_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, script: &str| {
            let executable = folder.path().join(name);
            // By another process: a file that this one has open for writing, and that another test's child
            // inherits for a moment, cannot be executed.
            let write = r##"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod +x "$0""##;
            let mut shell = Command::new("sh");
            shell.args(["-c", write]).arg(&executable).arg(script);
            assert!(shell.status().unwrap().success());
            Program {
                name: format!("side by side {name}"),
                executable,
                folder: folder.path().to_owned(),
            }
        };
        let list = folder.path().join("list.json");
        let all = [
            make("good", "echo \"$1\" > good.ran; echo fine"),
            make("bad", "echo ran > bad.ran; echo broken; exit 101"),
            make("late", "echo ran > late.ran"),
        ];
        programs::write(&list, &all).unwrap();
        let options = ParallelOptions {
            list,
            at_once: 2,
            arguments: vec!["--exact".into()],
        };
        // Collected here and not printed: an expected failure in this test's output would mislead.
        let told = Mutex::new(String::new());
        let tell = |words: &str| told.lock().unwrap().push_str(words);
        let failure = run_and_report(&options, tell).unwrap_err().to_string();
        assert_eq!(failure, "tests failed in: side by side bad");
        let told = told.into_inner().unwrap();
        assert!(told.contains("Passed side by side good\nfine"), "{told}");
        assert!(told.contains("FAILED side by side bad\nbroken"), "{told}");
        let ran = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(ran("good.ran"), "--exact\n");
        assert_eq!(
            ran("late.ran"),
            "ran\n",
            "a failure does not stop the other programs"
        );
    }
}
