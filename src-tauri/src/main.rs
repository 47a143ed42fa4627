//! The app's entry.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use vestibule_lib::Program;

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let program = match arguments.next() {
        Some(first) if first == "doctor" => Program::Doctor,
        _ => Program::App,
    };
    #[allow(unsafe_code)]
    // SAFETY: nothing before it has started another thread.
    unsafe {
        vestibule_lib::harden(program);
    }
    if program == Program::Doctor {
        std::process::exit(vestibule_lib::doctor(arguments).into());
    }
    if let Err(error) = vestibule_lib::run() {
        eprintln!("Vestibule cannot start: {error}");
        std::process::exit(1);
    }
}
