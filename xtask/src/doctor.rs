//! `cargo xtask doctor`: looks at this machine, or, with arguments, at a backend. The latter is
//! the work of the crate `vestibule-doctor`; this tool stays quick to compile and runs it.

use std::ffi::OsString;
use std::process::Command;

use crate::failure::Outcome;
use crate::{compile, machine, process, say};

/// Looks.
pub fn run(arguments: &[OsString]) -> Outcome {
    if arguments.is_empty() {
        return machine::run();
    }
    say::step("building the doctor");
    let doctor = compile::binary("vestibule-doctor", &["--workspace"])?;
    process::become_it(Command::new(doctor).args(arguments))
}
