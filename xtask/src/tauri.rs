//! The Tauri CLI, run from the top of the work tree as `cargo tauri`.

use std::ffi::OsString;
use std::process::Command;

use crate::failure::Outcome;
use crate::setup::{self, For};
use crate::{display, ports, process, process_tree, root, servers};

/// Prepares the machine and runs the app from source.
pub fn dev(arguments: &[OsString]) -> Outcome {
    display::check()?;
    ports::check_free()?;
    setup::ready(For::Development)?;
    let all: Vec<_> = std::iter::once("dev".into())
        .chain(arguments.iter().cloned())
        .collect();
    run(&all)
}

/// Prepares the machine and bundles the app for this system.
pub fn build(arguments: &[OsString]) -> Outcome {
    setup::ready(For::Development)?;
    let all: Vec<_> = std::iter::once("build".into())
        .chain(arguments.iter().cloned())
        .collect();
    run(&all)
}

/// Runs the Tauri CLI with these arguments.
pub fn run(arguments: &[OsString]) -> Outcome {
    if !setup::npm::tauri_cli().is_file() {
        setup::node::check()?;
        setup::npm::ready()?;
    }
    let help = arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h");
    if arguments.first().is_some_and(|command| command == "dev") && !help {
        display::check()?;
        ports::check_free()?;
        setup::node::check()?;
        servers::build_backend()?;
    }
    let mut cli = Command::new("node");
    root::forget_our_package(&mut cli);
    cli.arg(setup::npm::tauri_cli())
        .args(arguments)
        .current_dir(root::root())
        // The CLI looks for package.json in the folders above the app; here it is in another
        // folder. With this variable it also compares the versions of npm packages and crates.
        .env("TAURI_FRONTEND_PATH", root::frontend())
        .env(servers::OWNER, std::process::id().to_string());
    // The CLI ends its children itself, but not when it is killed.
    let outcome = process::run(&mut cli);
    process_tree::end_all();
    outcome
}
