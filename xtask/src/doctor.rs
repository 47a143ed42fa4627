//! `cargo xtask doctor`: checks this machine or, with arguments, a backend. The crate
//! `vestibule-doctor` checks backends; it is a program of its own, so that this tool stays quick
//! to compile.

use std::ffi::OsString;
use std::process::Command;

use crate::failure::Outcome;
use crate::{compile, console, machine, process};

/// Runs the check.
pub fn run(arguments: &[OsString]) -> Outcome {
    if arguments.is_empty() {
        return machine::run();
    }
    console::step("building the doctor");
    let doctor = compile::binary("vestibule-doctor", &["--workspace"])?;
    process::become_it(Command::new(doctor).args(arguments))
}
