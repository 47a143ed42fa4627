//! The doctor without the app: what `cargo xtask doctor --backend URL` runs.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(vestibule_doctor::run(
        std::env::args_os().skip(1),
        Vec::new(),
    ))
}
