//! The doctor without the app: what `cargo xtask doctor --backend URL` runs.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    ExitCode::from(vestibule_doctor::run(arguments, || Ok(None)))
}
