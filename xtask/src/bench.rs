//! Figures, printed and not judged: how long the window takes, how long a
//! sign-in takes, how big the binary is.

use std::path::Path;

use crate::failure::{Outcome, io, said};
use crate::setup::{self, For};
use crate::{app, export, process, root, say};

/// Builds what is measured and prints the figures.
pub fn run() -> Outcome {
    if !cfg!(target_os = "linux") {
        return Err(said(
            "the window can be driven on Linux only, so the figures are taken there",
        ));
    }
    setup::ready(For::Tests)?;
    export::ready()?;
    let shipped = size(&app::build_shipped()?)?;
    let driven = app::build_e2e(app::Clippy::IsNotAsked)?;
    let driven_size = size(&driven)?;

    say::step("building the measuring program");
    let mut cargo = root::cargo();
    cargo
        .args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "vestibule-acceptance",
            "--bin",
            "bench",
        ])
        .env("VESTIBULE_APP", &driven)
        .env("VESTIBULE_TAURI_DRIVER", setup::tools::WEBDRIVER.path());
    let measured = process::run(&mut cargo);
    println!("binary as it ships            {shipped}");
    println!("binary for WebDriver          {driven_size}");
    measured
}

fn size(binary: &Path) -> Outcome<String> {
    let bytes = std::fs::metadata(binary)
        .map_err(io(format_args!("looking at {}", binary.display())))?
        .len();
    Ok(mebibytes(bytes))
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1024 * 1024);
    format!("{}.{} MiB ({bytes} bytes)", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_tenths() {
        assert_eq!(
            mebibytes(15 * 1024 * 1024 + 600 * 1024),
            "15.5 MiB (16343040 bytes)"
        );
        assert_eq!(mebibytes(0), "0.0 MiB (0 bytes)");
    }
}
