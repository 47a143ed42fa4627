//! The child processes of promises that need one: `soak --child NAME ARGUMENTS…`.
//!
//! They speak with their parents as [`vestibule_harness::child`] says. To add one, write a module with
//! a protocol and `pub fn run(arguments: &[String]) -> ExitCode`, and a line in [`run`].

#[cfg(target_os = "linux")]
pub(crate) mod keyring_states;
pub(crate) mod logging;
pub(crate) mod memory;
#[cfg(target_os = "linux")]
pub(crate) mod mutant;
pub(crate) mod network;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
use crate::{account_kills, app};

/// Runs the child that the first argument names.
pub fn run(arguments: &[String]) -> ExitCode {
    let Some((name, rest)) = arguments.split_first() else {
        eprintln!("which child?");
        return ExitCode::from(2);
    };
    match name.as_str() {
        "logging" => logging::run(rest),
        #[cfg(target_os = "linux")]
        "accounts" => account_kills::run(rest),
        #[cfg(target_os = "linux")]
        "app" => app::child::run(rest),
        #[cfg(target_os = "linux")]
        "item" => app::child::run_item(rest),
        #[cfg(target_os = "linux")]
        "mutant" => mutant::run(rest),
        "memory" => memory::run(rest),
        "network" => network::run(rest),
        _ => {
            eprintln!("there is no child {name}");
            ExitCode::from(2)
        }
    }
}
