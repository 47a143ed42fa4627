//! The child processes of promises that need one: `soak --child NAME ARGUMENTS…`.
//!
//! A child reads and writes lines on its standard streams and ends when its input does, so that
//! none outlives the process that started it. To add one, write a module with
//! `pub fn run(arguments: &[String]) -> ExitCode` and a line in [`run`].

#[cfg(target_os = "linux")]
pub mod crash;
pub mod keyring;
pub mod keyring_item;
#[cfg(target_os = "linux")]
mod keyring_states;
pub mod logging;
pub mod memory;
#[cfg(target_os = "linux")]
mod mutant;
pub mod network;

use std::process::ExitCode;

/// Runs the child that the first argument names.
pub fn run(arguments: &[String]) -> ExitCode {
    let Some((name, rest)) = arguments.split_first() else {
        eprintln!("which child?");
        return ExitCode::from(2);
    };
    match name.as_str() {
        "item" => keyring_item::run(rest),
        "logging" => logging::run(rest),
        #[cfg(target_os = "linux")]
        "crash" => crash::run(rest),
        #[cfg(target_os = "linux")]
        "mutant" => mutant::run(rest),
        "memory" => memory::run(rest),
        "keyring" => keyring::run(rest),
        "network" => network::run(rest),
        _ => {
            eprintln!("there is no child {name}");
            ExitCode::from(2)
        }
    }
}
