//! Runs the promises, in their long or short form, and prints the table of their results.
//!
//! The program `soak` of `tests/promises` does the work. This module prepares what it needs: the
//! app, a private desktop and the path of this tool.

use std::ffi::OsString;

use crate::app::Profile;
use crate::failure::{Outcome, said};
use crate::setup::{self, For};
use crate::{app, compile, console, desktop, export, process, root};

/// The source of the table of promises, so that a wrong number is refused before anything is built.
const REGISTRY: &str = include_str!("../../tests/promises/src/registry.rs");

/// The numbers of the promises, as the table has them.
pub fn promises() -> Vec<&'static str> {
    let lines = REGISTRY.lines().map(str::trim);
    let numbers = lines.filter_map(|line| line.strip_prefix("promise!(\"")?.split('"').next());
    let mut numbers: Vec<_> = numbers.collect();
    // A promise with two figures has two lines.
    numbers.dedup();
    numbers
}

/// The other options of that program.
pub const OPTIONS: [&str; 2] = ["--short", "--markdown"];

/// Prepares the machine and runs the promises with these arguments.
pub fn run(arguments: &[OsString]) -> Outcome {
    if !cfg!(target_os = "linux") {
        return Err(said(
            "the promises need a Secret Service and a window that can be driven; both are there on Linux only",
        ));
    }
    setup::ready(For::Tests)?;
    export::ready()?;
    let app = app::build_e2e(Profile::Tested, &mut root::cargo())?;
    console::step("building the program that tests the promises");
    let soak = compile::binary(
        "soak",
        &[
            "--profile",
            "instruments",
            "--package",
            "vestibule-promises",
        ],
    )?;
    let mut soak = std::process::Command::new(soak);
    soak.args(arguments)
        .current_dir(root::root())
        .env("VESTIBULE_APP", app);
    process::run(&mut desktop::around(&soak)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_registry() {
        let numbers = promises();
        assert_eq!(numbers[..2], ["P1", "P2"]);
        assert_eq!(REGISTRY.matches("(\"P21\"").count(), 1);
        assert_eq!(numbers.last(), Some(&"P22"), "the table is read to its end");
    }

    #[test]
    fn the_options_are_those_of_the_program() {
        let program = include_str!("../../tests/promises/src/bin/soak.rs");
        let arms = program.lines().map(str::trim);
        let arms = arms.filter(|line| line.starts_with("\"--") && line.contains("=>"));
        let taken: Vec<_> = arms.filter_map(|line| line.split('"').nth(1)).collect();
        let ours: Vec<_> = OPTIONS.into_iter().chain(["--help"]).collect();
        assert_eq!(taken, ours);
    }
}
