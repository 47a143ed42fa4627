//! The example app. The first argument chooses whether it opens a window or works in a terminal.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

use vestibule_lib::CliCommand;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    let command = CliCommand::from_argument(first.as_deref());
    #[allow(unsafe_code)]
    // SAFETY: no other thread has been started yet.
    unsafe {
        vestibule_lib::harden(command);
    }
    match command {
        CliCommand::Doctor => vestibule_lib::doctor(arguments).into(),
        CliCommand::Help | CliCommand::Version => vestibule_lib::about(command),
        CliCommand::App => {
            if first.is_some() {
                eprintln!("Vestibule does not know this argument; --help lists the arguments");
            }
            match vestibule_lib::run() {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("Vestibule cannot start: {error}");
                    ExitCode::FAILURE
                }
            }
        }
    }
}
