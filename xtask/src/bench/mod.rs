//! Measures the product next to floors, alternatives and targets, in one table.
//!
//! The program `bench` of `tests/bench` measures. For the names that were given it prints which
//! builds it needs, and this module makes them.

mod builds;

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::app::Profile;
use crate::failure::{Outcome, said};
use crate::setup::{self, For};
use crate::{compile, console, process};
use builds::Build;
#[cfg(test)]
pub use builds::NEXT;
pub use builds::{environment, for_tests};

/// What can be measured. The list is here too, so that a wrong name is refused before anything is
/// built.
pub const NAMES: [&str; 21] = [
    "binary",
    "deb",
    "first-load-js",
    "start",
    "memory",
    "sign-in",
    "refresh",
    "reads",
    "callers",
    "fetch",
    "windows",
    "click",
    "switch",
    "cookies",
    "bodies",
    "controls",
    "accounts-start",
    "accounts-memory",
    "idle",
    "app-hour",
    "hour",
];

/// The other options of that program, and whether a file follows.
pub const OPTIONS: [(&str, bool); 8] = [
    ("--long", false),
    ("--short", false),
    ("--list", false),
    ("--needs", false),
    ("--json", true),
    ("--publish", false),
    ("--against", true),
    ("--markdown", false),
];

/// Refuses a command line that the program would refuse after minutes of building.
pub fn check(arguments: &[OsString]) -> Outcome {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let word = argument.to_string_lossy();
        let option = OPTIONS.iter().find(|(name, _)| *name == word);
        match option {
            None if NAMES.contains(&&*word) => {}
            None => {
                let options = OPTIONS.iter().map(|(name, _)| *name);
                let known: Vec<_> = NAMES.into_iter().chain(options).collect();
                return Err(said(format!(
                    "there is no figure `{word}`; there are {}",
                    known.join(", ")
                )));
            }
            Some((_, false)) => {}
            Some((name, true)) => {
                let file = arguments.next();
                let file = file.ok_or_else(|| said(format!("{name} wants a file")))?;
                check_file(name, Path::new(file))?;
            }
        }
    }
    Ok(())
}

/// A file of an earlier run must exist; for a new one, its folder must.
fn check_file(option: &str, file: &Path) -> Outcome {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    let is_there = match option {
        "--against" => file.is_file(),
        _ => folder.is_none_or(Path::is_dir),
    };
    if is_there {
        return Ok(());
    }
    let what = if option == "--against" {
        "there is no file"
    } else {
        "there is no folder for"
    };
    Err(said(format!("{option}: {what} {}", file.display())))
}

/// Builds what is measured, and measures.
pub fn run(arguments: &[OsString]) -> Outcome {
    if !cfg!(target_os = "linux") {
        return Err(said(
            "the window can be driven on Linux only, so the figures are taken there",
        ));
    }
    setup::ready(For::Tests)?;
    let begun = Instant::now();
    console::step("building the measuring program, in release mode");
    let bench = compile::binary(
        "bench",
        &["--profile", "instruments", "--package", "vestibule-bench"],
    )?;
    let needs = process::capture(Command::new(&bench).arg("--needs").args(arguments))?;
    if !needs.ok {
        process::show(&needs.text);
        return Err(said(
            "the measuring program did not print which builds it needs",
        ));
    }
    let mut took = vec![("the measuring program", begun.elapsed())];
    let mut measure = Command::new(bench);
    measure.args(arguments);
    if !arguments
        .iter()
        .any(|argument| argument == "--list" || argument == "--needs")
    {
        let needs: Vec<_> = needs.text.lines().collect();
        console::step(format_args!(
            "builds what is measured: {}",
            needs.join(", ")
        ));
        for need in needs {
            let build =
                Build::of(need).ok_or_else(|| said(format!("there is no build `{need}`")))?;
            let begun = Instant::now();
            build.make()?;
            took.push((need, begun.elapsed()));
        }
        measure.envs(environment(Profile::Release));
    }
    let begun = Instant::now();
    let measured = process::run(&mut measure);
    took.push(("measuring", begun.elapsed()));
    console::step(account(&took));
    measured
}

/// How long each build, the measuring and the whole run took, in words.
fn account(took: &[(&str, Duration)]) -> String {
    let each = took
        .iter()
        .map(|(what, took)| format!("{what} {:.0} s", took.as_secs_f64()));
    let each: Vec<_> = each.collect();
    let whole: Duration = took.iter().map(|(_, took)| *took).sum();
    format!(
        "took {:.1} min: {}",
        whole.as_secs_f64() / 60.0,
        each.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root;

    fn source(file: &str) -> String {
        let file = root::root().join("tests/bench/src").join(file);
        std::fs::read_to_string(file).unwrap()
    }

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_names_are_those_of_the_registry() {
        let registry = source("registry.rs");
        let (_, list) = registry.split_once("pub const ENTRIES").unwrap();
        let (list, _) = list.split_once("\n];").unwrap();
        let names = list
            .split("entry!(")
            .skip(1)
            .map(|line| line.split('"').nth(1).unwrap());
        assert_eq!(names.collect::<Vec<_>>(), NAMES);
    }

    #[test]
    fn the_options_are_those_of_the_program() {
        let program = source("bin/bench.rs");
        let arms = program.lines().map(str::trim);
        let arms = arms.filter(|line| line.starts_with("\"--") && line.contains("=>"));
        let taken: Vec<_> = arms
            .map(|line| (line.split('"').nth(1).unwrap(), line.contains("file()")))
            .collect();
        let ours: Vec<_> = OPTIONS.into_iter().chain([("--help", false)]).collect();
        assert_eq!(taken, ours);
    }

    #[test]
    fn everything_that_may_be_needed_is_built_here() {
        let registry = source("registry.rs");
        let names = registry.lines().filter_map(|line| {
            let (_, name) = line.trim().strip_prefix("Self::")?.split_once(" => \"")?;
            name.strip_suffix("\",")
        });
        let names: Vec<_> = names.collect();
        assert!(names.len() >= 4, "{names:?}");
        for name in names {
            assert!(Build::of(name).is_some(), "there is no build {name}");
        }
    }

    #[test]
    fn the_time_of_each_build_is_told() {
        let seconds = Duration::from_secs;
        let told = account(&[("shipped", seconds(300)), ("measuring", seconds(1230))]);
        assert_eq!(told, "took 25.5 min: shipped 300 s, measuring 1230 s");
    }

    #[test]
    fn a_slip_is_told_before_anything_is_built() {
        let refused = |line: &str| check(&words(line)).unwrap_err().to_string();
        assert!(refused("sing-in").contains("sign-in, refresh"));
        assert!(refused("--shrot").contains("--short"));
        assert!(refused("sign-in --json").contains("wants a file"));
        assert!(refused("--json nowhere/at/all.json").contains("nowhere/at/all.json"));
        assert!(refused("--against no-such.json").contains("no-such.json"));
        check(&words(
            "refresh --long --json here.json --publish --markdown",
        ))
        .unwrap();
    }
}
