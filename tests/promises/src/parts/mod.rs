//! The child processes of promises that need one: `soak --part NAME ARGUMENTS…`.
//!
//! A part reads and writes lines on its standard streams and ends when its input does, so that none
//! outlives the process that started it. To add one, write a module with
//! `pub fn run(arguments: &[String]) -> ExitCode` and a line in [`run`].

pub mod item;
#[cfg(target_os = "linux")]
mod keyrings;
pub mod loud;
#[cfg(target_os = "linux")]
pub mod mortal;
#[cfg(target_os = "linux")]
mod mutant;
pub mod patient;
pub mod resident;
pub mod wanderer;

use std::process::ExitCode;

/// Runs the part that the first argument names.
pub fn run(arguments: &[String]) -> ExitCode {
    let Some((name, rest)) = arguments.split_first() else {
        eprintln!("which part?");
        return ExitCode::from(2);
    };
    match name.as_str() {
        "item" => item::run(rest),
        "loud" => loud::run(rest),
        #[cfg(target_os = "linux")]
        "mortal" => mortal::run(rest),
        #[cfg(target_os = "linux")]
        "mutant" => mutant::run(rest),
        "patient" => patient::run(rest),
        "resident" => resident::run(rest),
        "wanderer" => wanderer::run(rest),
        _ => {
            eprintln!("there is no part {name}");
            ExitCode::from(2)
        }
    }
}
