//! Runs the promises, in their long or short form, and prints the table of their results.
//!
//! The program `soak` of `tests/promises` does the work. This module prepares what it needs: the
//! app, a private desktop and the path of this tool.

use std::ffi::OsString;

use crate::app::Profile;
use crate::failure::{Outcome, said};
use crate::setup::{self, For};
use crate::{app, compile, console, desktop, export, process, root};

/// The names of the promises. The list is here too, so that a wrong name is refused before anything
/// is built.
pub const PROMISES: [&str; 18] = [
    "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12", "P13", "P14", "P15",
    "P17", "P19", "P21",
];
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
    let soak = compile::binary("soak", &["--release", "--package", "vestibule-promises"])?;
    let mut soak = std::process::Command::new(soak);
    soak.args(arguments)
        .current_dir(root::root())
        .env("VESTIBULE_APP", app);
    process::run(&mut desktop::around(&soak)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(file: &str) -> String {
        let file = root::root().join("tests/promises/src").join(file);
        std::fs::read_to_string(file).unwrap()
    }

    #[test]
    fn the_names_are_those_of_the_registry() {
        let registry = source("registry.rs");
        let lines = registry.lines().map(str::trim);
        let names = lines.filter_map(|line| line.strip_prefix("promise!(\"")?.split('"').next());
        let mut names: Vec<_> = names.collect();
        // A promise with two figures has two lines.
        names.dedup();
        assert_eq!(names, PROMISES);
    }

    #[test]
    fn the_options_are_those_of_the_program() {
        let program = source("bin/soak.rs");
        let arms = program.lines().map(str::trim);
        let arms = arms.filter(|line| line.starts_with("\"--") && line.contains("=>"));
        let taken: Vec<_> = arms.filter_map(|line| line.split('"').nth(1)).collect();
        let ours: Vec<_> = OPTIONS.into_iter().chain(["--help"]).collect();
        assert_eq!(taken, ours);
    }
}
