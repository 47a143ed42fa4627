//! The app's entry.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

use vestibule_lib::Program;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    let program = Program::named(first.as_deref());
    #[allow(unsafe_code)]
    // SAFETY: nothing before it has started another thread.
    unsafe {
        vestibule_lib::harden(program);
    }
    match program {
        Program::Doctor => vestibule_lib::doctor(arguments).into(),
        Program::Help | Program::Version => vestibule_lib::about(program),
        Program::App => {
            if first.is_some() {
                eprintln!("Vestibule takes no such argument; --help lists what it takes");
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
