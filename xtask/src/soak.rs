//! The promises in their long form, or in their short one, and the table of what came of it.
//!
//! The program `soak` of `tests/promises` does the work; here it gets what it needs: the
//! app, a private desktop and the way back to this tool.

use std::ffi::OsString;

use crate::failure::{Outcome, said};
use crate::setup::{self, For};
use crate::{app, compile, desktop, export, process, root, say};

/// Makes everything ready and runs the promises with these arguments.
pub fn run(arguments: &[OsString]) -> Outcome {
    if !cfg!(target_os = "linux") {
        return Err(said(
            "the promises need a Secret Service and a window that can be driven; both are there on Linux only",
        ));
    }
    setup::ready(For::Tests)?;
    export::ready()?;
    let app = app::build_e2e()?;
    say::step("building the program that breaks things");
    let soak = compile::binary("soak", &["--release", "--package", "vestibule-promises"])?;
    let mut soak = std::process::Command::new(soak);
    soak.args(arguments)
        .current_dir(root::root())
        .env("VESTIBULE_APP", app);
    process::run(&mut desktop::around(&soak)?)
}
