//! `cargo xtask test`: runs every check, one after the other, and prints all results at the end.
//!
//! A failed step does not keep the others from running, unless they need what it makes; those then
//! fail too and name it. Nothing is skipped silently.

mod deny;
mod memory_folder;
pub mod parallel;
mod programs;
mod steps;
mod summary;

use std::ffi::OsString;
use std::io::{self, Write};
use std::time::Instant;

use steps::{Run, STEPS, Step};
use summary::Summary;

use crate::failure::{Failure, Outcome, said};
use crate::{console, process_tree, room, setup};

/// The arguments of the command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TestOptions {
    /// Only these steps, by name; empty for all.
    pub only: Vec<String>,
    /// Only tests whose name contains this.
    pub filter: Option<String>,
    /// Passed on to the test programs.
    pub extra: Vec<OsString>,
}

/// Prints the names of the steps.
pub fn list() {
    for step in STEPS {
        println!("{:<12} {}", step.name, step.about);
    }
}

/// Prepares the machine, runs the steps and prints the results.
pub fn run(options: TestOptions) -> Outcome {
    let steps = select(&options.only, options.filter.is_some())?;
    if let Some(purpose) = steps.iter().filter_map(|step| step.setup).max() {
        setup::ready(purpose)?;
    }
    if let Some(free) = room::for_builds() {
        console::step(format_args!("{} GB are free on the disk", free >> 30));
    }
    let run = Run::new(options);
    let outcome = run_steps(&run, steps);
    // Programs that tests have started may still write into the folder in memory.
    process_tree::end_all();
    drop(run);
    outcome
}

/// Runs the steps and prints the results.
fn run_steps(run: &Run, steps: Vec<&Step>) -> Outcome {
    let mut summary = Summary::default();
    let mut shortage = None;
    for step in steps {
        println!("\n==> {}: {}", step.name, step.about);
        let _ = io::stdout().flush();
        let start = Instant::now();
        let outcome = match step.needs.iter().find(|need| summary.has_failed(need)) {
            Some(need) => Err(said(format!("not run: it needs `{need}`, which failed"))),
            None => (step.work)(run),
        };
        if let Err(Failure::Interrupted(signal)) = outcome {
            console::step(format_args!("interrupted in `{}`", step.name));
            return Err(Failure::Interrupted(signal));
        }
        if let Err(failure) = &outcome {
            console::failure(format_args!("{}: {failure}", step.name));
            shortage = shortage.or_else(room::shortage);
        }
        summary.add(
            step.name,
            start.elapsed(),
            step.budget,
            outcome.map_err(|failure| failure.to_string()),
        );
    }
    if run.matched_nothing() {
        summary.add(
            "filter",
            std::time::Duration::ZERO,
            0,
            Err("no test has a name that matches".into()),
        );
    }
    let failures = run.failures();
    if !failures.is_empty() {
        print!("\nWhat failed, once more:\n{failures}");
    }
    print!("\n{summary}");
    let _ = io::stdout().flush();
    if let Some(shortage) = shortage {
        console::failure(shortage);
    }
    match summary.failed() {
        0 => Ok(()),
        1 => Err(said("a step failed")),
        failed => Err(said(format!("{failed} steps failed"))),
    }
}

/// The requested steps and those they need, in order.
fn select(only: &[String], filtered: bool) -> Outcome<Vec<&'static Step>> {
    if let Some(unknown) = only
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        return Err(said(format!(
            "there is no step `{unknown}`; the steps are: {}",
            names.join(", ")
        )));
    }
    let options = |step: &Step| {
        if only.is_empty() {
            !filtered || step.filterable
        } else {
            only.iter().any(|name| name == step.name)
        }
    };
    let mut wanted: Vec<&str> = STEPS
        .iter()
        .filter(|step| options(step))
        .map(|step| step.name)
        .collect();
    // A step comes after those it needs, so one pass backwards finds them all.
    for step in STEPS.iter().rev() {
        if wanted.contains(&step.name) {
            wanted.extend(step.needs);
        }
    }
    Ok(STEPS
        .iter()
        .filter(|step| wanted.contains(&step.name))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], filtered: bool) -> Vec<&'static str> {
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        select(&only, filtered)
            .unwrap()
            .iter()
            .map(|step| step.name)
            .collect()
    }

    #[test]
    fn everything_runs_unless_something_is_asked_for() {
        assert_eq!(names(&[], false).len(), STEPS.len());
    }

    #[test]
    fn a_step_brings_what_it_needs_with_it() {
        assert_eq!(
            names(&["acceptance"], false),
            [
                "programs",
                "export",
                "e2e",
                "adopter",
                "bundle",
                "floors",
                "acceptance"
            ]
        );
        assert_eq!(names(&["fmt"], false), ["fmt"]);
    }

    #[test]
    fn a_filter_leaves_the_steps_that_can_be_filtered() {
        assert_eq!(
            names(&[], true),
            [
                "programs",
                "rust",
                "export",
                "e2e",
                "adopter",
                "bundle",
                "floors",
                "acceptance"
            ]
        );
        assert_eq!(names(&["rust"], true), ["programs", "rust"]);
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_names_there_are() {
        let failure = select(&["bioem".into()], false).err().unwrap().to_string();
        assert!(
            failure.contains("bioem") && failure.contains("biome"),
            "{failure}"
        );
    }

    #[test]
    fn needs_are_steps_that_come_earlier() {
        for (index, step) in STEPS.iter().enumerate() {
            for need in step.needs {
                assert!(
                    STEPS[..index].iter().any(|earlier| earlier.name == *need),
                    "{need}"
                );
            }
        }
    }
}
