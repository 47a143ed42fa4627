//! The doctor without an app. `cargo xtask doctor --backend URL` runs this.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    ExitCode::from(vestibule_doctor::run(arguments, || Ok(None)))
}
