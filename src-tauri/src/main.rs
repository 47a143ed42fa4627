//! The example app. The first argument chooses whether it opens a window or works in a terminal.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

use vestibule_lib::Program;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    let program = Program::named(first.as_deref());
    #[allow(unsafe_code)]
    // SAFETY: no other thread has been started yet.
    unsafe {
        vestibule_lib::harden(program);
    }
    match program {
        Program::Doctor => vestibule_lib::doctor(arguments).into(),
        Program::Help | Program::Version => vestibule_lib::about(program),
        Program::App => {
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
