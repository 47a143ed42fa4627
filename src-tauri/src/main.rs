//! The example app.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

#[cfg(all(no_unwinding, panic = "unwind", not(test)))]
compile_error!(
    "`panic` of this profile is not \"abort\": let build.rs keep the tables for unwinding"
);

fn main() -> ExitCode {
    tauri_plugin_vestibule::harden();
    let in_terminal = tauri_plugin_vestibule::run_in_terminal(
        vestibule_lib::context,
        vestibule_lib::built::PROFILE,
    );
    if let Some(status) = in_terminal {
        return status;
    }
    match vestibule_lib::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Vestibule cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}
